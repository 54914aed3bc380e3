"""The page that ranks samplers: for each model and data set its figures and its table."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure

from gmixbench.disk import write_bytes
from gmixbench.record import Failure
from gmixbench.report import ranking, style
from gmixbench.report.html import Caption, Image, drawn, notes, slug, template
from gmixbench.report.ranking_table import HEADS, Line, lines
from gmixbench.ruler.metrics import METRICS
from gmixbench.ruler.ranking import BARE, CONFIDENCE, RANKED, Left, Ranking, rank_each
from gmixbench.ruler.verdict import Judged
from gmixbench.spec import Case, Mixture

POINTS = (
    "A point is the geometric mean over fresh processes of other seeds, the bar its "
    f"{100 * CONFIDENCE:.0f} % interval; a row of one process has no bar."
)


@dataclass(frozen=True)
class Section:
    """One model on one data set."""

    anchor: str
    name: str
    images: tuple[Image, ...]
    lines: tuple[Line, ...]
    left: tuple[Left, ...]


def write_ranking(
    out: Path,
    results: Sequence[Judged],
    failures: Sequence[Failure],
    environment: Mapping[str, str],
) -> Path:
    """Write `ranking.html` and `figures/*.png` under `out`.

    Parameters
    ----------
    results : judged NUTS runs, of other seeds, backends, models and data sets

    Returns
    -------
    Path of the page.

    Raises
    ------
    OSError
        The folder can't be written or the disk is full; no file is left half-written.
    """
    path = out / "ranking.html"
    with style.house_style():
        sections = [*_sections(out, results, failures)]
    page = template("ranking.html.j2").render(
        sections=sections,
        judge=_judge([*(judged.run.case for judged in results), *(f.case for f in failures)]),
        heads=[(head, _definition(metric)) for metric, head in HEADS.items()],
        metrics=[
            (name, METRICS[name].definition, notes(METRICS[name])) for name in (*RANKED, BARE)
        ],
        environment=environment,
    )
    write_bytes(path, page.encode())
    return path


def _judge(cases: Sequence[Case]) -> str:
    general = dict.fromkeys(case.model.name for case in cases if case.model.spread)
    words = ["the exact posterior"] if any(case.model.spread is None for case in cases) else []
    if general:
        words.append(f"a reference by long runs (that of {', '.join(general)})")
    return " or ".join(words)


def _sections(
    out: Path, results: Sequence[Judged], failures: Sequence[Failure]
) -> Iterator[Section]:
    for dataset, model, found in rank_each(results, failures):
        yield _section(out, dataset, model, found)


def _definition(metric: str) -> str:
    return METRICS[metric].definition if metric in METRICS else "Half of the interval of ESS/s."


def _section(out: Path, dataset: str, model: Mixture, found: Ranking) -> Section:
    name, anchor = f"{model.name} on {dataset}", slug(f"{dataset}-{model.name}")
    images: tuple[Image, ...] = ()
    if found.samplers:
        images = (
            _image(out, f"{anchor}-ranking", name, _ranking_caption(found), ranking.ranking(found)),
            _image(out, f"{anchor}-factors", name, _factors_caption(found), ranking.factors(found)),
        )
    return Section(anchor, name, images, lines(found), found.left)


def _ranking_caption(found: Ranking) -> Caption:
    words = [POINTS, "Compiling and warm-up count on the right alone."]
    if found.limits:
        words.append("The dashed line is the limit: independent draws from the exact posterior.")
    if any(ranking.at_bare_pace(found, row) is not None for row in found.samplers):
        words.append(
            "A hollow mark is a row's ESS per gradient at the pace of a bare gradient: in a "
            "compiled loop that does nothing else, the fastest that a backend here tells. Between "
            "a row's two marks lies what it takes besides; code that has a faster gradient may "
            "pass its hollow mark. Chains that run at once have none."
        )
    return Caption("Which sampler is the fastest, and which answers first?", " ".join(words), ())


def _factors_caption(found: Ranking) -> Caption:
    product = (
        "ESS per second is the product of both: the left one is the algorithm's, the right one the "
        "code's and the machine's."
    )
    words = [POINTS, product]
    if found.bare is not None:
        words.append("Dotted is the pace of a bare gradient, the fastest that a row here tells.")
    words.append("Chains that run at once have no time of a gradient evaluation.")
    return Caption("Is it the algorithm, or the code?", " ".join(words), ())


def _image(out: Path, stem: str, name: str, caption: Caption, drawing: Figure) -> Image:
    words = f"{name}. {caption.question} {caption.guide}"
    return Image(stem, drawn(out, stem, drawing), words, caption)
