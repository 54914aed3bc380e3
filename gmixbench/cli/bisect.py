"""`bisect`: which release was the first bad one."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gmixbench.cli.compare import Alpha, Band, Data, EssBand, Fresh, Timeout
from gmixbench.cli.comparing import METRICS, asked, measured, metric_of, tasks_of, tell
from gmixbench.cli.exits import INCONCLUSIVE, NOT_MEASURED, REGRESSED
from gmixbench.cli.options import (
    Locks,
    methods_of,
    one_of,
    positive,
    probability,
    seconds_of,
    share_of,
)
from gmixbench.spec import ALL_MODELS, DATASETS, DEFAULT_DATASET, METHODS

if TYPE_CHECKING:
    from gmixbench.lab.comparison.sides import Side
    from gmixbench.lab.stacks import Stack
    from gmixbench.ruler.comparison.bisection import Answer, Search
    from gmixbench.ruler.comparison.nouns import Outcome, Trust

VALID = "valid"
"""Stands for a metric where it is asked since when the answer is wrong."""

LONGER = "within the budget: give a longer --budget"


@dataclass(frozen=True)
class Told:
    """What is said of a release, and why; `open_` where there was too little evidence."""

    answer: "Answer"
    why: str
    open_: bool = False


def bisect(
    good: Annotated[
        str, typer.Option(metavar="X", help="The older side, which is good; named as in `compare`.")
    ],
    bad: Annotated[
        str,
        typer.Option(
            metavar="Y", help="A later side of the same library, which is slower or wrong."
        ),
    ],
    metric: Annotated[
        str,
        typer.Option(
            help=f"What got worse: one of {METRICS}, which `gmixbench list` defines; or {VALID}, "
            "to ask since when the answer is wrong."
        ),
    ] = "seconds_per_gradient",
    model: Annotated[str, typer.Option(help=f"One of {', '.join(ALL_MODELS)}.")] = "ordered",
    method: Annotated[str, typer.Option(help=f"One of {', '.join(METHODS)}.")] = "nuts",
    dataset: Data = DEFAULT_DATASET,
    band: Band = "2%",
    ess_band: EssBand = "10%",
    alpha: Alpha = 0.01,
    budget: Annotated[
        str,
        typer.Option(
            help="Time for measuring in each comparison, at the most: 90s, 10m, 1h. Building is "
            "not in it."
        ),
    ] = "10m",
    own_dependencies: Annotated[
        bool,
        typer.Option(
            "--own-dependencies",
            help="Measure each release with the dependencies of its own day. Else each has those "
            "of X, so that the library alone differs, wherever the two go together.",
        ),
    ] = False,
    locks: Locks = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for what it leaves; results/bisect-X-Y-... .")
    ] = None,
    fresh: Fresh = False,
    timeout: Timeout = 600.0,
) -> None:
    """Find the release since which a library is slower, or wrong.

    For when compare found a change between two releases that have others
    between them. As git bisect does with commits, it compares Y with X, then
    the release halfway, and so on: of 17 releases it takes 5 comparisons.
    Each builds that release where it is not there, and takes up to the budget.
    Those releases are searched that have a lock file (gmixbench stacks list).

    Exits 1 with the release, 4 where some could not be told, 3 where Y can't
    be measured or is wrong, 0 where Y is not worse. Called again it goes on.
    """
    one_of("model", model, ALL_MODELS)
    one_of("dataset", dataset, DATASETS)
    (method,) = methods_of([method], [], [model])
    metric_of(metric, [method], VALID)
    width, seconds = share_of("--band", band), seconds_of("--budget", budget)
    ess_width = share_of("--ess-band", ess_band)
    positive("--timeout", timeout)
    probability("--alpha", alpha)
    from gmixbench.lab import claim
    from gmixbench.lab.building import build
    from gmixbench.lab.comparison.folder import label
    from gmixbench.lab.comparison.releases import backend_of, between
    from gmixbench.lab.comparison.sides import of, side
    from gmixbench.lab.stacks import StackError, folder
    from gmixbench.ruler.comparison.bisection import search

    if out is not None:
        claim.refuse_all_but_folders(out, claim.COMPARISON)
    where = folder(locks)
    base, last = side(good, where, say=tell), side(bad, where, say=tell)
    releases = between(base, last, where)
    tasks = tasks_of([model], [method])
    wanted = [] if metric == VALID else [metric]
    ends = asked([base, last], tasks, dataset, band=width, ess_band=ess_width, alpha=alpha)
    place = out or Path("results") / f"bisect-{label(ends)}"
    kind = "-own" if own_dependencies else ""  # of another question
    typer.echo(f"{len(releases)} releases from {releases[0].name} to {releases[-1].name}")

    def told(stack: "Stack") -> Told:
        try:
            new = of(stack, backend_of(stack, last.variant.backend), stack.name)
            if not own_dependencies:
                new = _held(base, new)
            if new.stack:
                build(new.stack, say=tell)
        except StackError as error:
            return Told("skip", str(error).removeprefix(f"{stack.name}: "))
        outcome = measured(
            place / f"{stack.name}{kind}",
            asked(
                [base, new],
                tasks,
                dataset,
                band=width,
                ess_band=ess_width,
                alpha=alpha,
                metrics=wanted,
            ),
            [base, new],
            budget=seconds,
            timeout=timeout,
            fresh=fresh,
            done=_done(metric),
        )
        return _told(outcome, metric)

    answers: dict[int, Answer] = {0: "good"}
    said: dict[int, Told] = {}
    state = search(len(releases), answers)
    while state.ask is not None:
        said[state.ask] = found = told(releases[state.ask])
        typer.echo(f"{releases[state.ask].name}: {found.answer}: {found.why}")
        answers[state.ask] = found.answer
        state = search(len(releases), answers)
    _end(releases, metric, state, said[len(releases) - 1])
    # Each step rests on a verdict of its own, and the search on all of them.
    typer.echo(
        f"{len(said)} comparisons: together at most {100 * min(1.0, len(said) * alpha):g} % that a "
        "verdict is wrong"
    )
    raise typer.Exit(INCONCLUSIVE if len(state.suspects) > 1 else REGRESSED)


def _held(base: "Side", new: "Side") -> "Side":
    """The new side with the base's dependencies; with its own where these can't be had together."""
    from gmixbench.lab.comparison.holding import held
    from gmixbench.lab.comparison.trial import fault
    from gmixbench.lab.stacks import StackError

    try:
        found = held(base, new, say=tell)
        reason = found.stack and fault(found.stack, new.variant.backend, say=tell)
    except StackError as error:
        reason = str(error)
    if reason:
        tell(f"{new.variant.name}: with dependencies of its own, since {reason}")
        return new
    return found


def _done(metric: str) -> "Callable[[Outcome], bool]":
    if metric == VALID:
        return lambda outcome: outcome.looks > 0
    return lambda outcome: outcome.answered


def _told(outcome: "Outcome", metric: str) -> Told:
    base, new = outcome.trusts
    if not base.valid:
        advice = "take another --good" if base.wrong else "call it again, or take another --good"
        typer.echo(f"the good side is {_fault(base)}: {advice}", err=True)
        raise typer.Exit(NOT_MEASURED)
    if not new.valid:
        # What crashed, or mixes too slowly to be judged, is not known to be wrong.
        return Told("bad" if metric == VALID and new.wrong else "skip", _fault(new))
    if metric == VALID:
        if not outcome.looks:
            return Told("skip", f"no look {LONGER}", open_=True)
        return Told("good", f"right in {outcome.blocks} blocks")
    from gmixbench.report.comparison.words import NONE_IN_SIGHT
    from gmixbench.report.verdicts import change
    from gmixbench.ruler.comparison.outlook import outlook

    for each in outcome.whole:
        if each.metric == metric and each.verdict != "inconclusive":
            by = change(metric, each.change.estimate, each.change.low, each.change.high)
            why = f"{metric} {by}, {each.verdict}"
            return Told("bad" if each.verdict == "regressed" else "good", why)
    why = NONE_IN_SIGHT if outlook(outcome).hopeless else f"no answer {LONGER}"
    return Told("skip", f"{metric}: {why}", open_=True)


def _fault(trust: "Trust") -> str:
    return f"{'invalid' if trust.wrong else 'not measured'}: {trust.reasons[0]}"


def _end(releases: "tuple[Stack, ...]", metric: str, state: "Search", last: Told) -> None:
    if last.answer == "good":
        typer.echo(f"{releases[-1].name} is not worse: nothing to find")
        raise typer.Exit
    if last.answer == "skip":
        typer.echo(f"{releases[-1].name} could not be told: {last.why}", err=True)
        raise typer.Exit(INCONCLUSIVE if last.open_ else NOT_MEASURED)
    names = [f"{releases[k].name} ({releases[k].released})" for k in state.suspects]
    good = releases[state.good or 0]
    one = "one of " if len(names) > 1 else ""
    typer.echo(
        f"the first bad one for {metric} is {one}{', '.join(names)}, after {good.name} "
        f"({good.released})"
    )
    typer.echo("releases between them that have no lock file are not told apart")
