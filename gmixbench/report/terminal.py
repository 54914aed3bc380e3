"""Verdicts and figures as tables for a terminal."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.markup import escape
from rich.table import Table

from gmixbench.record import Draws, Failure
from gmixbench.report.numbers import MISSING, fixed, number
from gmixbench.ruler.names import counts, starts
from gmixbench.ruler.verdict import Judged
from gmixbench.spec import ADVI_METHODS, Case, Dataset, Mixture

NUTS_COLUMNS = {
    "ess_per_second": "ESS/s",
    "draws_per_second": "draws/s",
    "ess": "ESS",
    "rhat": "R-hat",
    "rhat_relabelled": "relabelled",
    "bias_z": "bias z",
}

ADVI_COLUMNS = {
    "steps_per_second": "steps/s",
    "loss": "loss",
    "gap": "gap",
    "kl": "kl",
}

FIT_COLUMNS = {
    "fit_s": "fit, s",
    "gap": "gap",
    "kl": "kl",
    "mode_mass": "m1 < m2",
    "pareto_k": "Pareto k",
}
"""Of fits that don't end when their ELBO stands still; a line holds no `loss`, which `kl` tells."""

DECIMALS = {
    "rhat": 3,
    "rhat_relabelled": 3,
    "bias_z": 1,
    "gap": 4,
    "loss": 3,
    "kl": 3,
    "mode_mass": 3,
    "pareto_k": 2,
}


def tables(results: Sequence[Judged]) -> Iterator[Table]:
    """One table each for NUTS, ADVI, and Pathfinder and Laplace, where there are runs of it."""
    nuts = [judged for judged in results if isinstance(judged.run.result, Draws)]
    advi = [judged for judged in results if judged.run.case.method in ADVI_METHODS]
    fits = [judged for judged in results if judged not in (*nuts, *advi)]
    if nuts:
        yield _table("NUTS", nuts, NUTS_COLUMNS, "labels")
    if advi:
        yield _table("ADVI", advi, ADVI_COLUMNS, "converged")
    if fits:
        yield _table("Pathfinder, Laplace", fits, FIT_COLUMNS, "")


def reasons(results: Sequence[Judged], failures: Sequence[Failure]) -> Iterator[str]:
    """A line for each reason and each failure."""
    cases = [*(judged.run.case for judged in results), *(failure.case for failure in failures)]
    for judged in results:
        for reason in judged.verdict.reasons:
            yield escape(f"{_name(judged.run.case, cases)}: {reason}")
    for failure in failures:
        what = f"failed ({failure.kind}): {failure.message}"
        yield escape(f"{_name(failure.case, cases)}: {what}")


def exact_table(
    dataset: Dataset, model: Mixture, figures: Mapping[str, Mapping[str, Any]]
) -> Table:
    """Exact posterior of both models, each figure with its error."""
    table = Table(
        title=f"exact posterior: {dataset.name}, {len(dataset.x)} observations, sigma "
        f"{model.sigma:g}, prior Normal({model.prior.mean:g}, {model.prior.scale:g})",
        title_justify="left",
        box=None,
    )
    table.add_column("")
    for name in figures:
        table.add_column(name, justify="right")
        table.add_column("± error", justify="right")
    rows = {
        "log evidence, nats": ("log_evidence", None),
        "mean of m1": ("mean", 0),
        "mean of m2": ("mean", 1),
        "sd of m1": ("sd", 0),
        "sd of m2": ("sd", 1),
        "valley, nats": ("valley", None),
        "best mean-field loss, nats": ("best_mean_field_loss", None),
        "best full-rank loss, nats": ("best_full_rank_loss", None),
        "Laplace's loss, nats": ("laplace_loss", None),
    }
    for label, (key, index) in rows.items():
        table.add_row(label, *_pairs(figures, key, index))
    for p in next(iter(figures.values()))["quantiles"]:
        for index in range(2):
            cells = []
            for listed in figures.values():
                value, error = listed["quantiles"][p][index], listed["error"]["quantiles"][p][index]
                cells += _with_error(value, error)
            table.add_row(f"{float(p):.0%} quantile of m{index + 1}", *cells)
    return table


def _pairs(figures: Mapping[str, Mapping[str, Any]], key: str, index: int | None) -> list[str]:
    cells = []
    for listed in figures.values():
        value, error = listed[key], listed["error"][key]
        if index is not None:
            value, error = value[index], error[index]
        cells += _with_error(value, error)
    return cells


def _with_error(value: float | None, error: float | None) -> list[str]:
    # No digit that the error leaves open.
    if value is None or error is None:
        return [MISSING, MISSING]
    digits = min(9, max(0, math.floor(-math.log10(max(error, 1e-300)))))
    return [f"{value:.{digits}f}", f"{error:.0e}"]


def _table(title: str, results: Sequence[Judged], columns: Mapping[str, str], said: str) -> Table:
    """Table whose title has what all rows share, so that there is room for the rest."""
    cases = [judged.run.case for judged in results]
    models = list(dict.fromkeys(case.model.name for case in cases))
    table = Table(
        title=title if len(models) > 1 else f"{title}, {models[0]}",
        title_justify="left",
        box=None,
        header_style="bold",
        collapse_padding=True,
        pad_edge=False,
    )
    shown = {
        "data": len({case.dataset for case in cases}) > 1,
        "model": len(models) > 1,
        "backend": True,
        "method": said != "labels",
        "seed": len({case.seed for case in cases}) > 1,
        "starts": len({starts(case) for case in cases}) > 1,
        "chains": len({counts(case) for case in cases}) > 1,
    }
    for name, shows in shown.items():
        if shows:
            # Where it is narrow a name goes over two lines, so that no number is cut.
            table.add_column(name, overflow="fold")
    for name in ("valid", *([said] if said else [])):
        table.add_column(name, no_wrap=True)
    for heading in columns.values():
        table.add_column(heading, justify="right", no_wrap=True)
    for judged in results:
        case, verdict, metrics = judged.run.case, judged.verdict, judged.scores.metrics
        answers = {"labels": verdict.labels, "converged": _yes(verdict.converged)}
        told = {
            "data": case.dataset,
            "model": case.model.name,
            "backend": case.row,
            "method": case.method,
            "seed": str(case.seed),
            "starts": starts(case),
            "chains": counts(case),
        }
        table.add_row(
            *(text for name, text in told.items() if shown[name]),
            "[green]yes[/]" if verdict.valid else "[bold red]NO[/]",
            *([answers[said] or MISSING] if said else []),
            *(_cell(name, _value(metrics, name)) for name in columns),
        )
    return table


def _value(metrics: Mapping[str, float | None], name: str) -> float | None:
    # The ESS that ESS/s is made of.
    if name != "ess":
        return metrics[name]
    bulk, tail = metrics["ess_bulk"], metrics["ess_tail"]
    return None if bulk is None or tail is None else min(bulk, tail)


def _cell(name: str, value: float | None) -> str:
    return fixed(value, DECIMALS[name]) if name in DECIMALS else number(value)


def _yes(answer: bool | None) -> str | None:
    return None if answer is None else "yes" if answer else "no"


def _name(case: Case, cases: Sequence[Case]) -> str:
    like = [each for each in cases if each.method == case.method]
    told = [what(case) for what in (starts, counts) if len({what(each) for each in like}) > 1]
    name = f"{case.dataset} {case.model.name} {case.row} {case.method} seed {case.seed}"
    return " ".join([name, *told])
