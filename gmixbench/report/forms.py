"""What marginalizing the labels buys: ESS per second of each form of the likelihood, abreast."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from gmixbench.record import Failure
from gmixbench.report.numbers import MISSING, number
from gmixbench.report.panel import is_nuts
from gmixbench.ruler.metrics import METRICS
from gmixbench.ruler.verdict import Judged
from gmixbench.spec import LIKELIHOODS, MIXTURE, Case

SPEED = "ess_per_second"

DEFINITION = METRICS[SPEED].definition


@dataclass(frozen=True)
class Forms:
    """Backends of one model on one data set; each row has a cell for each of `columns`."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]


def forms(results: Sequence[Judged], failures: Sequence[Failure]) -> Iterator[Forms]:
    """Tables of the models and data sets that NUTS was asked for in more than one form."""
    told = {judged.run.case: _speed(judged) for judged in results if is_nuts(judged)}
    told |= {failure.case: "failed" for failure in failures if failure.case.method == "nuts"}
    for dataset, model in dict.fromkeys((case.dataset, case.model) for case in told):
        some = {case: told[case] for case in told if (case.dataset, case.model) == (dataset, model)}
        asked = {case.likelihood for case in some}
        if len(asked) > 1:
            columns = tuple(form for form in LIKELIHOODS if form in asked)
            yield Forms(f"{model.name} on {dataset}", columns, tuple(_rows(some, columns)))


def _rows(
    told: Mapping[Case, str], columns: Sequence[str]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    # Any but the form: a row is what differs in it alone.
    rows: dict[Case, dict[str, str]] = {}
    for case, text in told.items():
        rows.setdefault(replace(case, likelihood=MIXTURE), {})[case.likelihood] = text
    seeds = len({case.seed for case in rows}) > 1
    for case, cells in rows.items():
        name = f"{case.backend} · seed {case.seed}" if seeds else case.backend
        yield name, tuple(cells.get(form, MISSING) for form in columns)


def _speed(judged: Judged) -> str:
    return number(judged.scores.metrics[SPEED]) if judged.verdict.valid else "invalid"
