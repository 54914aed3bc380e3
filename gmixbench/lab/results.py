"""From the records in a folder to verdicts, and `scores.json`."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gmixbench.disk import SCHEMA, write_bytes
from gmixbench.lab import references, store
from gmixbench.record import Failure
from gmixbench.ruler.score import Posterior
from gmixbench.ruler.verdict import Judged, judge
from gmixbench.spec import Case, Mixture


@dataclass(frozen=True, eq=False)
class Results:
    """All of a folder: judged runs, failures, planned cases without a record, and what for.

    `exacts` are the posteriors by `Case.posterior`.
    """

    judged: tuple[Judged, ...]
    failures: tuple[Failure, ...]
    missing: tuple[Case, ...]
    exacts: dict[str, Posterior]
    environment: dict[str, str]


def judge_folder(out: Path, exacts: dict[str, Posterior] | None = None) -> Results:
    """Judge every record of a folder; nothing is sampled.

    Parameters
    ----------
    exacts : posteriors that are solved already, by `Case.posterior`

    Raises
    ------
    gmixbench.lab.store.FolderError
        The folder holds no run.
    gmixbench.disk.DamagedRecordError
        Plan or data can't be read; the message names the file. A damaged record is a failure.
    """
    plan = store.plan_of(out)
    records = store.records(out, plan)
    solved = dict(exacts or {})
    for record in records:
        name = record.case.posterior
        if name not in solved:
            x = store.read_data(out, record.case.dataset)
            also = (out / references.FOLDER,)
            solved[name] = references.posterior_of(x, record.case.model, also)
    judged = tuple(
        judge(record, solved[record.case.posterior])
        for record in records
        if not isinstance(record, Failure)
    )
    return Results(
        judged=judged,
        failures=tuple(record for record in records if isinstance(record, Failure)),
        missing=tuple(store.pending(out, plan.cases)),
        exacts=solved,
        environment=plan.environment,
    )


def write_scores(out: Path, results: Results) -> Path:
    """Write `scores.json` and return its path.

    Every score has every key; a number that does not exist, or is not finite, is null.
    """
    content = {
        "schema": SCHEMA,
        "environment": results.environment,
        "data_sha256": store.digests(out),
        "scores": [row(judged) for judged in results.judged],
        "failures": [_failure(failure) for failure in results.failures],
    }
    path = out / "scores.json"
    write_bytes(path, (json.dumps(content, indent=1, allow_nan=False) + "\n").encode())
    return path


def row(judged: Judged) -> dict[str, Any]:
    """Row of `scores.json` that tells of a judged run."""
    scores, verdict = judged.scores, judged.verdict
    return {
        **case_row(scores.case),
        "valid": verdict.valid,
        "labels": verdict.labels,
        "converged": verdict.converged,
        "reasons": list(verdict.reasons),
        "metrics": scores.finite,
        "occupancy_by_chain": [chain.occupancy for chain in scores.chains] or None,
        "environment": judged.run.environment,
        "shims": list(judged.run.shims),
    }


def _failure(failure: Failure) -> dict[str, Any]:
    return {**case_row(failure.case), "kind": failure.kind, "message": failure.message}


def case_row(case: Case) -> dict[str, Any]:
    """Keys of a row of `scores.json` that tell of a case."""
    return {
        "dataset": case.dataset,
        "model": case.model.name,
        "mixture": mixture_row(case.model),
        "backend": case.backend,
        "method": case.method,
        "likelihood": case.likelihood,
        "settings": asdict(case.settings),
        "stack": case.stack,
        "seed": case.seed,
    }


def mixture_row(model: Mixture) -> dict[str, float]:
    """Numbers of a model, as a row of `scores.json` tells them."""
    told = {"prior_mean": model.prior.mean, "prior_scale": model.prior.scale}
    if model.spread is None:
        return {"sigma": model.sigma, **told}
    first, second = model.spread.weight
    return {
        **told,
        "sigma_scale": model.spread.sigma_scale,
        "weight_first": first,
        "weight_second": second,
    }
