"""`compare`: did it get slower, or wrong."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gmixbench.cli.comparing import (
    FIRST_SEED,
    METRICS,
    asked,
    measured,
    metric_of,
    posterior_of,
    preparing,
    tasks_of,
    tell,
)
from gmixbench.cli.exits import INCONCLUSIVE, NOT_MEASURED, REGRESSED, UsageError, one_line
from gmixbench.cli.markdown import write_markdown
from gmixbench.cli.options import (
    Locks,
    all_of,
    backend_of,
    console,
    methods_of,
    one_of,
    positive,
    probability,
    seconds_of,
    share_of,
)
from gmixbench.spec import ALL_MODELS, DATASETS, DEFAULT_DATASET, METHODS, Case

if TYPE_CHECKING:
    from gmixbench.lab.comparison.sides import Side
    from gmixbench.lab.stacks import Stack
    from gmixbench.ruler.comparison.nouns import Comparison, Outcome, Task

CODES = {"fine": 0, "regressed": REGRESSED, "inconclusive": INCONCLUSIVE}
CODES |= {"invalid": NOT_MEASURED, "not measured": NOT_MEASURED}

AGAIN = 1_000_000
"""Seeds apart that the second measurement of `--confirm` has: none of the first's."""

A = Annotated[
    str,
    typer.Argument(
        metavar="A",
        help="A stack (pymc-v6.3.2), a requirement (pymc==6.3.2, numpyro@0.21.0), a wheel, a "
        "checkout (./numpyro), or what is installed here (here:pymc). STACK:BACKEND measures "
        "another backend in it.",
    ),
]
B = Annotated[str, typer.Argument(metavar="B", help="What is new, named in the same ways.")]
Models = Annotated[
    list[str] | None,
    typer.Option(
        "--model", help="ordered unless given; again for both, or ordered_full by itself."
    ),
]
Methods = Annotated[
    list[str] | None,
    typer.Option("--method", help=f"Of {', '.join(METHODS)}; nuts unless given."),
]
Data = Annotated[str, typer.Option("--dataset", help=f"One of {', '.join(DATASETS)}.")]
Sampler = Annotated[
    str | None,
    typer.Option(
        help="Backend that samples on both sides, such as nutpie (`gmixbench list` has all); the "
        "library's own unless given."
    ),
]
Band = Annotated[
    str,
    typer.Option(
        help="Relative change of a timing that is too small to matter: within it a metric is "
        "equivalent, beyond it improved or regressed. A narrower band takes longer."
    ),
]
EssBand = Annotated[str, typer.Option(help="The same for ESS per gradient evaluation.")]
Alpha = Annotated[
    float,
    typer.Option(
        help="Probability of a wrong verdict, which all metrics and all looks at them share."
    ),
]
Budget = Annotated[
    str,
    typer.Option(
        help="Time for measuring at the most, that of earlier calls included: 90s, 10m, 1h. "
        "Building is not in it. The first look comes after 13 blocks, which take some 5 minutes: "
        "with less there is no answer."
    ),
]
Timeout = Annotated[float, typer.Option(help="Seconds after which a process is ended.")]
Out = Annotated[
    Path | None, typer.Option(help="Folder for what it leaves; results/compare-A-B-... .")
]
Fresh = Annotated[
    bool, typer.Option("--fresh", help="Start over, instead of going on where it stopped.")
]


def compare(
    a: A,
    b: B,
    model: Models = None,
    method: Methods = None,
    dataset: Data = DEFAULT_DATASET,
    sampler: Sampler = None,
    band: Band = "2%",
    ess_band: EssBand = "10%",
    alpha: Alpha = 0.01,
    metric: Annotated[
        list[str] | None,
        typer.Option(
            help="Metric that must have an answer before the time is spent; again for more. Those "
            f"that explain the others unless given. Of {METRICS}; `gmixbench list` defines them."
        ),
    ] = None,
    budget: Budget = "10m",
    confirm: Annotated[
        bool,
        typer.Option(
            "--confirm",
            help="Where a change was found, measure all again with other seeds, and call a change "
            "only what both find: before you report a regression, or bisect it. Takes up to the "
            "budget once more.",
        ),
    ] = False,
    hold_dependencies: Annotated[
        bool,
        typer.Option(
            "--hold-dependencies",
            help="Measure B with A's versions of NumPy, PyTensor or JAX, and all else, so that "
            "the library alone differs. Builds one environment more.",
        ),
    ] = False,
    attribute: Annotated[
        bool,
        typer.Option(
            "--attribute",
            help="Find out which dependency carries a change: from A to B one is exchanged at a "
            "time (the library, then PyTensor or JAX, NumPy, ...), and each environment in between "
            "is built, and measured in every block. For when A and B differ in more than the "
            "library; give as many times the --budget as there are steps.",
        ),
    ] = False,
    markdown: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write it there too; $GITHUB_STEP_SUMMARY unless given."),
    ] = None,
    locks: Locks = None,
    out: Out = None,
    fresh: Fresh = False,
    timeout: Timeout = 600.0,
) -> None:
    """Tell whether B is slower than A, or wrong: two versions, or two libraries.

    Both sample the same model in turn, in fresh processes with the same
    seeds, block by block, until it is known how B's speed differs from
    A's, or the budget is spent. That takes 5 to 10 minutes; longer where
    a release has to be built first, or PyMC before 6 compiles C++. The draws
    of both are held against the exact posterior: what is wrong shows no speed.

    Exits 1 when any metric got worse, 3 when either is wrong or can't be
    measured, 4 when there is no answer yet, else 0. Called again it goes on.
    """
    models = all_of("model", model or ["ordered"], ALL_MODELS)
    methods = methods_of(method, ["nuts"], models)
    tasks = tasks_of(models, methods)
    metrics = [metric_of(name, methods) for name in dict.fromkeys(metric or [])]
    one_of("dataset", dataset, DATASETS)
    width, seconds = share_of("--band", band), seconds_of("--budget", budget)
    ess_width = share_of("--ess-band", ess_band)
    positive("--timeout", timeout)
    probability("--alpha", alpha)
    if hold_dependencies and attribute:
        raise UsageError("--attribute holds the dependencies, step by step: leave the other out")
    from gmixbench.lab import claim

    if out is not None:
        claim.refuse_others(out, claim.COMPARISON)  # before what may take minutes
    old, new = _ends(a, b, sampler, locks)
    sides: Sequence[Side] = (old, new)
    if attribute:
        sides = _steps(old, new, tasks, dataset, timeout)
    elif hold_dependencies:
        sides = (old, _held(old, new))
    question = asked(
        sides, tasks, dataset, band=width, ess_band=ess_width, alpha=alpha, metrics=metrics
    )
    from gmixbench.lab.comparison.folder import label

    folder = out or Path("results") / f"compare-{label(question)}"
    _warn(question, seconds)
    outcome = measured(folder, question, sides, budget=seconds, timeout=timeout, fresh=fresh)
    if confirm and any(each.moved for each in outcome.whole):
        from gmixbench.lab.comparison.folder import write
        from gmixbench.ruler.comparison.confirm import confirmed, settled

        typer.echo("a change: measuring it again, with other seeds")
        again = replace(question, seed=question.seed + AGAIN)
        second = measured(
            folder / "again",
            again,
            sides,
            budget=seconds,
            timeout=timeout,
            fresh=fresh,
            done=partial(settled, outcome),
        )
        outcome = confirmed(outcome, second)
        with claim.locked(folder, claim.COMPARISON):
            write(folder, outcome.comparison, outcome)
    _tell(outcome, folder, markdown)
    raise typer.Exit(CODES[outcome.verdict])


def _ends(a: str, b: str, sampler: str | None, locks: Path | None) -> "tuple[Side, Side]":
    from gmixbench.lab.comparison.sides import side
    from gmixbench.lab.stacks import folder

    if sampler is not None:
        backend_of("sampler", sampler)
    texts = [_of(text, sampler) for text in (a, b)]
    with preparing("finding out what A and B are") as say:
        old, new = (side(text, folder(locks), say=say) for text in texts)
    if old.variant.digest == new.variant.digest:
        typer.echo(
            f"{texts[0]} and {texts[1]} are the same: what a machine makes of equal sides is "
            f"measured by `gmixbench noise {texts[0]}`",
            err=True,
        )
    return old, new


def _of(text: str, sampler: str | None) -> str:
    from gmixbench.lab.comparison.sides import parts

    if sampler is None:
        return text
    if parts(text)[1]:
        raise UsageError(f"{text}: give --sampler or :BACKEND, not both")
    return f"{text}:{sampler}"


def _held(old: "Side", new: "Side") -> "Side":
    from gmixbench.lab.comparison.holding import held

    with preparing("giving B the dependencies of A") as say:
        return held(old, new, say=say)


def _steps(
    old: "Side", new: "Side", tasks: "Sequence[Task]", dataset: str, timeout: float
) -> "tuple[Side, ...]":
    from gmixbench.lab.comparison import trial
    from gmixbench.lab.comparison.holding import steps

    exact = posterior_of(tasks, dataset)
    backend = new.variant.backend

    def unsampled(stack: "Stack") -> str | None:
        cases = [
            Case(dataset, task.model, backend, task.method, task.settings, stack.name, FIRST_SEED)
            for task in tasks
        ]
        return trial.unsampled(stack, cases, exact, timeout=timeout, say=tell)

    return steps(old, new, unsampled=unsampled, say=tell)


def _warn(question: "Comparison", budget: float) -> None:
    from gmixbench.disk import DamagedRecordError
    from gmixbench.lab.comparison.floors import known
    from gmixbench.ruler.tolerances import TOLERANCES

    try:
        kept = known(question)
    except DamagedRecordError as error:
        typer.echo(f"{one_line(error)}: left out; `gmixbench noise` writes it anew", err=True)
        return
    for each in kept:
        floor, change = each.floor, each.within(budget)
        # The others have a band of their own, which is not the user's.
        if TOLERANCES[floor.metric].machine and change > question.band:
            typer.echo(
                f"the band of {100 * question.band:g} % is below what this machine could tell of "
                f"{floor.metric} ({100 * change:.1f} % in {budget:.0f} s, by the "
                f"{each.budget:.0f} s of `gmixbench noise`): widen it, or give a longer --budget",
                err=True,
            )


def _tell(outcome: "Outcome", folder: Path, markdown: Path | None) -> None:
    from gmixbench.report.comparison.markdown import comparison_markdown
    from gmixbench.report.comparison.page import write_comparison
    from gmixbench.report.comparison.terminal import comparison_lines

    for line in comparison_lines(outcome):
        console.print(line, soft_wrap=isinstance(line, str), highlight=False)
    write_markdown(comparison_markdown(outcome), markdown)
    with console.status("drawing the page"):
        path = write_comparison(folder, outcome)
    typer.echo(f"report: {path}")
