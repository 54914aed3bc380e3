"""Exit codes, and the errors that end in one of them with one line."""

REGRESSED, WRONG_USE, NOT_MEASURED, INCONCLUSIVE, INTERRUPTED = 1, 2, 3, 4, 130
"""Exit codes besides 0: worse, bad input, something invalid or not measured, no answer, Ctrl-C."""

OUR_FAULT = 70
"""Exit code of an error that nobody foresaw, as EX_SOFTWARE: Python's own 1 would say worse."""


class UsageError(ValueError):
    """An option that makes no sense; the message says what is wrong and what to do."""


def exit_code_of(error: Exception) -> int | None:
    """Exit code of an error that its message explains; `None` where it would be a fault of ours."""
    from gmixbench.disk import DamagedRecordError
    from gmixbench.lab.datasets import DataError
    from gmixbench.lab.gate_files import GateFileError
    from gmixbench.lab.references import MissingReferenceError
    from gmixbench.lab.stacks import StackError
    from gmixbench.lab.store import FolderError
    from gmixbench.report.asv_repository import RepositoryError
    from gmixbench.report.tidy import FormatError
    from gmixbench.ruler.certify import UncertifiedError
    from gmixbench.truth.cells import UnreachableError

    explained = (
        UsageError,
        DataError,
        FolderError,
        FormatError,
        GateFileError,
        MissingReferenceError,
        RepositoryError,
        StackError,
        OSError,
    )
    if isinstance(error, explained):
        return WRONG_USE
    if isinstance(error, DamagedRecordError | UncertifiedError | UnreachableError):
        return NOT_MEASURED
    return None


def one_line(error: Exception) -> str:
    """Message of an error in one line, with the file where the system names one."""
    from gmixbench.disk import DamagedRecordError

    text = str(error)
    if isinstance(error, DamagedRecordError):
        text += "; put it back from a copy, or take another folder"
    if isinstance(error, OSError) and error.strerror:
        # A file stands where a folder is wanted; the system says but that it exists.
        reason = "not a directory" if isinstance(error, FileExistsError) else error.strerror
        text = f"{error.filename}: {reason}" if error.filename else reason
    return " ".join(text.splitlines())
