"""The report: one self-contained HTML page, and its figures as files beside it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from matplotlib.figure import Figure

from gmixbench.disk import write_bytes
from gmixbench.record import Failure
from gmixbench.report import chains, losses, planes, style
from gmixbench.report.fits import fits as fits_figure
from gmixbench.report.forms import DEFINITION, forms
from gmixbench.report.html import Caption, Image, drawn, notes, slug, template
from gmixbench.report.numbers import MISSING, fixed, number
from gmixbench.report.panel import Panel, is_nuts, panels
from gmixbench.report.words import caption, headline
from gmixbench.ruler.metrics import METRICS
from gmixbench.ruler.score import Posterior
from gmixbench.ruler.verdict import Judged
from gmixbench.spec import FAMILIES, Case, Mixture
from gmixbench.truth.exact import Exact
from gmixbench.truth.reference import Reference

ABREAST = {"nuts": 3, "fits": 4}
"""Runs side by side in one figure; more of them take a figure more."""

MOST = 12
"""Runs of one model on one data set, by chains or fits, that are all drawn; of more, one a row."""

NUTS_COLUMNS = (
    ("ess_per_second", "ESS/s", number),
    ("draws_per_second", "draws/s", number),
    ("ess_bulk", "ESS bulk", number),
    ("ess_tail", "ESS tail", number),
    ("rhat", "R\u2011hat", lambda value: fixed(value, 3)),
    ("rhat_relabelled", "R\u2011hat, relabelled", lambda value: fixed(value, 3)),
    ("occupancy_error", "occupancy error", lambda value: fixed(value, 3)),
    ("bias_z", "bias\u00a0z", lambda value: fixed(value, 2)),
    ("divergences", "diver\u00adgences", number),
    ("time_to_ess_1000", "time to ESS\u00a01000,\u00a0s", number),
)

COST_COLUMNS = (
    ("ess_per_second", "ESS/s", number),
    ("ess_per_gradient", "ESS / gradient", number),
    ("seconds_per_gradient", "seconds / gradient", number),
    ("compile_s", "compile, s", number),
    ("warmup_s", "warm-up, s", number),
    ("cpu_s", "CPU, s", number),
    ("peak_memory", "memory, MB", lambda value: number(None if value is None else value / 1e6)),
    ("ebfmi", "E‑BFMI", lambda value: fixed(value, 2)),
    ("max_treedepth_share", "at max depth", number),
)

FIT_COLUMNS = (
    ("fit_s", "fit,\u00a0s", number),
    ("steps_per_second", "steps/s", number),
    ("loss", "loss,\u00a0nats", lambda value: fixed(value, 3)),
    ("average_loss", "average loss, nats", lambda value: fixed(value, 2)),
    ("gap", "gap,\u00a0nats", lambda value: fixed(value, 4)),
    ("kl", "KL,\u00a0nats", lambda value: fixed(value, 3)),
    ("mode_mass", "mass, m1\u00a0<\u00a0m2", number),
    ("pareto_k", "Pareto\u00a0k", lambda value: fixed(value, 2)),
    ("steps_to_converge", "steps to converge", number),
    ("compile_s", "compile,\u00a0s", number),
)

_Column = tuple[str, str, Callable[[float | None], str]]


@dataclass(frozen=True)
class Row:
    """One run in a summary table: its name, verdict, cells and reasons."""

    name: str
    valid: bool
    labels: str | None
    converged: bool | None
    cells: tuple[str, ...]
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Block:
    """Rows of one model on one data set."""

    name: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Table:
    """Summary of one kind of method; a column is (heading, definition)."""

    name: str
    nuts: bool
    columns: tuple[tuple[str, str], ...]
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Section:
    """Figures of one model on one data set, under what is exactly known of it."""

    anchor: str
    name: str
    facts: tuple[tuple[str, str], ...]
    undrawn: int
    images: tuple[Image, ...]


def write_report(
    out: Path,
    results: Sequence[Judged],
    failures: Sequence[Failure],
    exacts: Mapping[str, Posterior],
    environment: Mapping[str, str],
) -> Path:
    """Write `report.html` and `figures/*.png` under `out`.

    Parameters
    ----------
    out : folder; made where it is not there
    results : judged runs, in the order they are to be shown
    failures : cases that could not be measured
    exacts : posterior by `Case.posterior`, one for each in `results`
    environment : versions and machine the runs were judged with, by name

    Returns
    -------
    Path of the page.

    Raises
    ------
    OSError
        The folder can't be written or the disk is full; no file is left half-written.
    """
    path = out / "report.html"
    with style.house_style():
        sections = [
            _section(out, judged, exacts[judged[0].run.case.posterior])
            for judged in _groups(results).values()
        ]
        data = [_data_image(out, name, exact, results) for name, exact in exacts.items()]
    models = {judged.run.case.model.name: judged.run.case.model for judged in results}
    page = template("report.html.j2").render(
        headline=headline(results, len(failures)),
        tables=_tables(results),
        forms=[*forms(results, failures)],
        forms_definition=DEFINITION,
        two_means=[name for name, model in models.items() if not model.spread],
        general=[name for name, model in models.items() if model.spread],
        failures=[(_case_name(failure), failure) for failure in failures],
        data=[image for image in data if image is not None],
        sections=sections,
        metrics=[(metric.name, metric.definition, notes(metric)) for metric in METRICS.values()],
        environment=environment,
        measured=_measured(results),
        missing=MISSING,
    )
    write_bytes(path, page.encode())
    return path


def _groups(results: Sequence[Judged]) -> dict[tuple[str, Mixture], list[Judged]]:
    groups: dict[tuple[str, Mixture], list[Judged]] = {}
    for judged in results:
        groups.setdefault((judged.run.case.dataset, judged.run.case.model), []).append(judged)
    return groups


def _section(out: Path, results: Sequence[Judged], exact: Posterior) -> Section:
    case = results[0].run.case
    name = f"{case.model.name} on {case.dataset}"
    stem = slug(f"{case.dataset}-{case.model.name}")
    nuts = _drawn([judged for judged in results if is_nuts(judged)])
    fits = _drawn([judged for judged in results if not is_nuts(judged)])
    traced = [panel for panel in fits if panel.fit.trace is not None]
    by_chains = {
        "trace": chains.trace,
        "joint": planes.joint,
        "autocorrelation": chains.autocorrelation,
        "ranks": chains.ranks,
    }
    if not isinstance(exact, Exact):
        del by_chains["joint"]  # five parameters lie in no plane
    made = [
        *(
            (figure, *part, draw)
            for figure, draw in by_chains.items()
            for part in _parts(nuts, ABREAST["nuts"])
        ),
        *(("agreement", "", nuts, chains.agreement) for _ in nuts[:1]),
        *(("fits", "", fits, fits_figure) for _ in fits[:1]),
        *(("loss", *part, losses.loss) for part in _parts(traced, ABREAST["fits"])),
        *(("approximation", *part, planes.joint) for part in _parts(fits, ABREAST["fits"])),
    ]
    images = [
        _image(out, f"{stem}-{figure}{part}", figure, name, some, draw(some, exact))
        for figure, part, some, draw in made
    ]
    undrawn = len(results) - len(nuts) - len(fits)
    return Section(stem, name, _facts(case.model, exact), undrawn, tuple(images))


def _drawn(results: Sequence[Judged]) -> tuple[Panel, ...]:
    if len(results) > MOST:
        first: dict[Case, Judged] = {}
        for judged in sorted(results, key=lambda each: each.run.case.seed):
            first.setdefault(replace(judged.run.case, seed=0), judged)
        results = [judged for judged in results if judged in first.values()]
    return panels(results)


def _parts(some: Sequence[Panel], most: int) -> list[tuple[str, Sequence[Panel]]]:
    parts = [some[i : i + most] for i in range(0, len(some), most)]
    return [(f"-{i + 1}" if len(parts) > 1 else "", part) for i, part in enumerate(parts)]


def _image(
    out: Path, stem: str, figure: str, section: str, shown: Sequence[Panel], drawing: Figure
) -> Image:
    words = caption(figure, shown)
    answers = " ".join(f"{name}: {answer}" for name, answer in words.answers)
    alt = f"{section}, {figure}. {words.question} {answers}"
    return Image(stem, drawn(out, stem, drawing), alt, words)


def _data_image(out: Path, name: str, exact: Posterior, results: Sequence[Judged]) -> Image | None:
    cases = [j.run.case for j in results if j.run.case.posterior == name]
    if not cases:
        return None
    stem, models = f"{slug(name)}-data", [case.model for case in cases]
    words = Caption(f"What was observed in {cases[0].dataset}?", _data_words(exact), ())
    alt = f"Histogram of the data set {name} with the mixture density. {words.guide}"
    return Image(stem, drawn(out, stem, planes.data(exact, models[0])), alt, words)


def _data_words(exact: Posterior) -> str:
    word, (smaller, larger, *_) = chains.truth_word(exact), exact.known()
    told = (
        f"{len(exact.x):,} observations, and the two-component mixture at the {word} posterior "
        f"means {fixed(smaller.mean.value, 3)} and {fixed(larger.mean.value, 3)}."
    )
    if not isinstance(exact, Exact):
        return f"{told} Standard deviations and weight are at their posterior means too."
    return (
        f"{told} Valley between the two modes of the posterior: {fixed(exact.valley, 2)} nats. The "
        "deeper it is, the less often a chain crosses."
    )


def _referred(reference: Reference) -> tuple[tuple[str, str], ...]:
    made, means = reference.made, {known.name: known.mean for known in reference.known()}
    libraries = " and ".join(dict.fromkeys(run["backend"] for run in made["runs"]))
    return (
        *(
            (f"{name}, by reference", f"{fixed(mean.value, 4)} ± {mean.error:.0e}")
            for name, mean in means.items()
        ),
        ("reference", f"long runs of {libraries}"),
        ("R-hat and ESS of them", f"{made['rhat']:.5f} and {number(made['ess'])}"),
    )


def _facts(model: Mixture, exact: Posterior) -> tuple[tuple[str, str], ...]:
    if not isinstance(exact, Exact):
        return _referred(exact)
    margins = (exact.smaller, exact.larger)
    means = " and ".join(fixed(margin.mean, 4) for margin in margins)
    sds = " and ".join(fixed(margin.sd, 4) for margin in margins)
    return (
        ("smaller and larger mean", means),
        ("standard deviations", sds),
        ("log evidence", f"{fixed(exact.log_evidence(model), 4)} nats"),
        *(
            (f"best {family} loss", f"{fixed(exact.best_normal(model, family).loss, 4)} nats")
            for family in FAMILIES
        ),
        ("valley", f"{fixed(exact.valley, 2)} nats"),
    )


def _tables(results: Sequence[Judged]) -> list[Table]:
    nuts = [judged for judged in results if is_nuts(judged)]
    fits = [judged for judged in results if not is_nuts(judged)]
    found = (
        _table("NUTS", nuts, NUTS_COLUMNS, nuts=True),
        _table("NUTS: what ESS/s is made of, and what it costs", nuts, COST_COLUMNS, nuts=True),
        _table("Fitted normals", fits, FIT_COLUMNS, nuts=False),
    )
    return [table for table in found if table.blocks]


def _table(name: str, some: Sequence[Judged], columns: Sequence[_Column], *, nuts: bool) -> Table:
    blocks = []
    for (dataset, model), judged in _groups(some).items():
        rows = tuple(_row(panel, columns) for panel in panels(judged))
        # A row's name has what tells it apart; a method that all have is told once.
        methods = {each.run.case.method for each in judged}
        shared = ", ".join(["", *methods]) if len(methods) == 1 and not nuts else ""
        blocks.append(Block(f"{model.name} on {dataset}{shared}", rows))
    heads = tuple((head, METRICS[metric].definition) for metric, head, _ in columns)
    return Table(name, nuts, heads, tuple(blocks))


def _row(panel: Panel, columns: Sequence[_Column]) -> Row:
    verdict = panel.judged.verdict
    cells = tuple(text(panel.shown(metric)) for metric, _, text in columns)
    # Reasons are said once, in the table that leads.
    reasons = () if columns is COST_COLUMNS else verdict.reasons
    return Row(panel.name, verdict.valid, verdict.labels, verdict.converged, cells, reasons)


def _measured(results: Sequence[Judged]) -> list[tuple[str, dict[str, str], str]]:
    """Each environment that was measured: its stacks and backends, versions, and shims."""
    found: dict[tuple[tuple[str, str], ...], tuple[dict[str, None], dict[str, None]]] = {}
    for judged in results:
        run = judged.run
        names, shims = found.setdefault(tuple(sorted(run.environment.items())), ({}, {}))
        names[f"{run.case.backend} ({run.case.stack})"] = None
        shims.update(dict.fromkeys(run.shims))
    return [
        (", ".join(names), dict(items), ", ".join(shims)) for items, (names, shims) in found.items()
    ]


def _case_name(failure: Failure) -> str:
    case = failure.case
    return f"{case.model.name} on {case.dataset}: {case.row}, {case.method}, seed {case.seed}"
