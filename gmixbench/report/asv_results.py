"""A library's history as asv's result files, in asv's own format: a release is a commit.

What asv reads is `null` for a failure, which `asv show` calls failed, and NaN for n/a. A release of
which no round is valid has failed; that a page of asv would only leave a gap there is why
`invalid` is a benchmark of its own.
"""

import html
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import product
from math import nan
from typing import Any

from gmixbench.report.history_words import GRAVE, library, remarks
from gmixbench.report.pane import METHODS as METHODS_SHOWN
from gmixbench.ruler.history import History, Release
from gmixbench.ruler.lower import LOWER
from gmixbench.ruler.metrics import METRICS
from gmixbench.ruler.notices import find_notices
from gmixbench.ruler.readings import Reading, readings, share_refused
from gmixbench.spec import METHODS, MODELS

BRANCH = "main"

MADE_BY = "gmixbench history --asv"
"""By this, in its configuration, a repository of ours is known."""

ENVIRONMENT = "locked"
"""What asv calls an environment: here every release has its own, as its lock file says."""

INVALID = "invalid"
"""Name of the benchmark that tells which releases can't be believed."""

REFUSED = "share of rounds, of all models and data sets, that failed or were invalid"

COLUMNS = ("result", "params", "version", "started_at", "duration", "samples")


def asv_files(
    history: History, releases: Sequence[Release], commits: Mapping[str, tuple[str, int]]
) -> dict[str, bytes]:
    """Files beside a library's repository, by path: configuration, machine, results.

    Parameters
    ----------
    releases
        Of one library; the history they are taken from joins its sessions at any release.
    commits
        Of each one's stack, its commit and the commit's time in seconds since 1970.
    """
    stacks = {release.stack for release in releases}
    own = [reading for reading in readings(history) if reading.stack in stacks]
    machine = _machine(history)
    name = machine["machine"]
    benchmarks = _benchmarks(history, own)
    files: dict[str, Any] = {
        "asv.conf.json": _configuration(releases[0].ppl),
        "results/benchmarks.json": {**benchmarks, "version": 2},
        f"results/{name}/machine.json": {**machine, "version": 1},
    }
    for release in releases:
        commit, seconds = commits[release.stack]
        files[f"results/{name}/{commit[:8]}-{ENVIRONMENT}.json"] = {
            "commit_hash": commit,
            "env_name": ENVIRONMENT,
            "date": 1000 * seconds,
            "params": machine,
            "python": release.python,
            "requirements": {},
            "env_vars": {},
            "result_columns": COLUMNS,
            "results": _results(release, own, benchmarks),
            "durations": {},
            "version": 2,
        }
    return {
        path: (json.dumps(content, indent=1) + "\n").encode() for path, content in files.items()
    }


def _configuration(ppl: str) -> dict[str, Any]:
    silent = [rf".*\.{row.name}\b" for row in LOWER if row.touch_zero]
    silent.append(r".*\.rhat\(.*'unordered'")  # a lottery of starts
    return {
        "version": 1,
        "made_by": MADE_BY,
        "project": f"{library(ppl)} releases",
        "project_url": f"https://pypi.org/project/{ppl}/",
        "repo": ".",
        "dvcs": "git",
        "branches": [BRANCH],
        "results_dir": "results",
        "html_dir": "html",
        # No commit: no regression is looked for.
        "regressions_first_commits": dict.fromkeys(sorted(silent)),
        "regressions_thresholds": {rf".*\.{row.name}\b": row.luck for row in LOWER if row.luck},
    }


def _machine(history: History) -> dict[str, str]:
    """The machine on whose scale the values are: that of the first session."""
    told = history.sessions[0].machine if history.sessions else {}
    cpu = told.get("cpu", "unknown")
    return {
        "machine": re.sub(r"[^A-Za-z0-9]+", "-", cpu).strip("-") or "unknown",
        "os": told.get("platform", ""),
        "arch": "",
        "cpu": cpu,
        "num_cpu": told.get("cores", ""),
        "ram": "",
    }


def _benchmarks(history: History, own: Sequence[Reading]) -> dict[str, dict[str, Any]]:
    found = []
    for method in METHODS:
        some = [reading for reading in own if reading.method == method]
        if not some:
            continue
        cases = {
            "dataset": [repr(name) for name in dict.fromkeys(reading.dataset for reading in some)],
            "model": [repr(name) for name in MODELS if name in {r.model for r in some}],
        }
        title = f"{METHODS_SHOWN[method]}: failed or invalid"
        told = "\n".join([REFUSED, *_refusals(history, own)])
        # Without parameters: asv's overview multiplies cases, and one that is well is a zero.
        found.append(_benchmark(history, f"{method}.{INVALID}", title, "share", told, {}))
        for row in LOWER:
            if method.startswith(row.kind):
                told = METRICS[row.metric].definition
                name = f"{method}.{row.name}"
                found.append(_benchmark(history, name, row.title, row.unit, told, cases))
    return {benchmark["name"]: benchmark for benchmark in found}


def _benchmark(
    history: History, name: str, title: str, unit: str, told: str, cases: Mapping[str, list[str]]
) -> dict[str, Any]:
    return {
        "name": name,
        "pretty_name": title,
        "type": "track",
        "unit": unit,
        "version": f"1-{history.profile}",
        "code": html.escape(told),  # asv's page takes it for markup
        "param_names": [*cases],
        "params": [*cases.values()],
        "timeout": 60.0,
    }


def _refusals(history: History, own: Sequence[Reading]) -> Iterable[str]:
    """Why releases can't be believed, a line for each reason."""
    stacks = {reading.stack for reading in own}
    notices = [n for n in find_notices(history) if n.stack in stacks and n.kind in GRAVE]
    for remark in remarks(history, notices):
        yield f"{remark.releases}, {' and '.join(remark.cases)}: {remark.message}"


def _results(
    release: Release, own: Sequence[Reading], benchmarks: Mapping[str, Mapping[str, Any]]
) -> dict[str, list[Any]]:
    found = {}
    for name, benchmark in benchmarks.items():
        method, _, entry = name.partition(".")
        some = [r for r in own if (r.stack, r.method) == (release.stack, method)]
        by_case = {(repr(r.dataset), repr(r.model)): r for r in some}
        chosen = [by_case.get(case) for case in product(*benchmark["params"])]
        samples = [reading.values.get(entry) if reading else None for reading in chosen]
        shown = [_value(reading, entry) for reading in chosen]
        found[name] = [
            [share_refused(some)] if entry == INVALID else shown,
            benchmark["params"],
            benchmark["version"],
            max((_milliseconds(reading.began) for reading in some), default=None),
            None,
            samples if any(samples) else None,
        ]
    return found


def _value(reading: Reading | None, entry: str) -> float | None:
    if reading is None:
        return nan
    if entry in reading.values:
        return reading.median(entry)
    return None if reading.refused == reading.rounds else nan


def _milliseconds(iso: str) -> int:
    moment = datetime.fromisoformat(iso)
    return int(1000 * (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
