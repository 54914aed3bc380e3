"""What is wrong or special about releases, told before any speed."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from gmixbench.ruler.changes import Kind, Notice
from gmixbench.ruler.history import History, Measurement
from gmixbench.ruler.verdict import DENSITY_TOLERANCE, REMARKS

KINDS: tuple[Kind, ...] = ("density", "invalid", "failed", "unconverged", "shim")
"""As they are told: the gravest first."""


def believed(item: Measurement) -> bool:
    """Whether a measurement may tell a speed: judged valid, and of the right density."""
    return item.failure is None and item.valid and not density_faults(item)


def density_faults(item: Measurement) -> list[str]:
    """What the judge said of the log density; looked at again, for all else rests on it."""
    faults = [reason for reason in item.reasons if reason.startswith("density_")]
    error = (item.metrics or {}).get("density_error")
    if not faults and error is not None and not error <= DENSITY_TOLERANCE:
        faults = [f"density_error {error:.2g} exceeds {DENSITY_TOLERANCE:g}"]
    return faults


def find_notices(history: History) -> Iterator[Notice]:
    """Notices of all releases: the gravest kind first, then by library and date."""
    order = {release.stack: k for k, release in enumerate(history.releases)}
    by_stack: dict[str, list[Measurement]] = {stack: [] for stack in order}
    for item in history.measurements:
        if item.case.stack in by_stack:
            by_stack[item.case.stack].append(item)
    libraries = {release.stack: release.ppl for release in history.releases}
    new_shims = _new_shims(history, by_stack)
    tell: dict[Kind, Callable[[Measurement], Iterable[str]]] = {
        "density": density_faults,
        "invalid": _faults,
        "failed": lambda item: [item.failure] if item.failure else [],
        "unconverged": _unconverged,
        "shim": lambda item: sorted(new_shims[item.case.stack] & set(item.shims)),
    }
    for kind in KINDS:
        for library in dict.fromkeys(libraries.values()):
            for stack in (stack for stack in order if libraries[stack] == library):
                for message, items in _condensed(by_stack[stack], tell[kind]).items():
                    cases = dict.fromkeys(f"{i.case.model.name} {i.case.method}" for i in items)
                    rounds = (_rounds(items), _rounds(by_stack[stack]))
                    yield Notice(library, stack, kind, tuple(cases), rounds, message)


def _faults(item: Measurement) -> list[str]:
    if item.valid or item.failure is not None:
        return []
    faults = [r for r in item.reasons if not r.startswith(("density_", *REMARKS))]
    if not faults and not density_faults(item):
        faults = ["judged invalid"]
    return faults


def _unconverged(item: Measurement) -> list[str]:
    if item.converged is not False or item.case.method != "advi-matched" or not item.valid:
        return []
    told = [reason for reason in item.reasons if reason.startswith("ADVI has not converged")]
    return told or ["ADVI has not converged"]


def _condensed(
    items: Sequence[Measurement], tell: Callable[[Measurement], Iterable[str]]
) -> dict[str, list[Measurement]]:
    """Measurements by what is told of them; texts of one sort stand under the first of them.

    Numbers differ from round to round, and of a bias that several figures show the judge names
    the worst first: so a sort is a text up to its colon, without its numbers.
    """
    first: dict[str, str] = {}
    found: dict[str, list[Measurement]] = {}
    for item in items:
        for text in tell(item):
            head = text if item.failure else text.split(":")[0]
            message = first.setdefault(re.sub(r"-?\d[\d.e+-]*", "#", head), text)
            own = found.setdefault(message, [])
            if not own or own[-1] is not item:
                own.append(item)
    return found


def _rounds(items: Sequence[Measurement]) -> int:
    return len({(item.session, item.round) for item in items})


def _new_shims(
    history: History, by_stack: dict[str, list[Measurement]]
) -> dict[str, frozenset[str]]:
    found, before = {}, dict[str, frozenset[str]]()
    for release in history.releases:
        items = by_stack[release.stack]
        shims = frozenset(shim for item in items for shim in item.shims)
        found[release.stack] = shims - before.get(release.ppl, frozenset())
        if any(item.failure is None for item in items):  # else nothing is known of its shims
            before[release.ppl] = shims
    return found
