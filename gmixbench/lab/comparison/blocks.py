"""Blocks of fresh processes: in each, every variant has every task, in random order, one seed."""

import math
import random
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from gmixbench.lab.comparison import folder as place_on_disk
from gmixbench.lab.execute import Watch, Worker, job, run_case
from gmixbench.ruler.comparison.caches import costs
from gmixbench.ruler.comparison.judge import judge
from gmixbench.ruler.comparison.looks import following
from gmixbench.ruler.comparison.nouns import LEAST_SECONDS, PILOT, Comparison, Outcome, Task
from gmixbench.ruler.comparison.outlook import forecast
from gmixbench.ruler.comparison.reading import Place, reading
from gmixbench.ruler.score import Posterior
from gmixbench.spec import Case, NutsSettings, Settings, fit_settings

OVER = 2.0
"""By so much a forecast from few blocks may be off: in a busy minute all take twice as long."""

Start = Callable[[Path], Worker]
"""How a variant's worker is started, given the folder where its library keeps what it compiles."""

MOST_DRAWS, MOST_STEPS = 200_000, 2_000_000
"""Draws a chain, and steps, beyond which records grow large and nothing is gained."""


@dataclass(frozen=True)
class Step:
    """One process of a block."""

    variant: int
    task: int
    place: int


def measure(
    folder: Path,
    comparison: Comparison,
    starts: Sequence[Start],
    exact: Posterior,
    *,
    budget: float,
    timeout: float,
    done: Callable[[Outcome], bool] = lambda outcome: outcome.answered,
    watch: Watch = lambda _: None,
) -> Iterator[Comparison]:
    """Measure block after block until there is an answer, or the budget is spent.

    Each process is in the folder before the comparison is yielded that has it. A call that goes on
    measures what is missing of a begun block first.

    Parameters
    ----------
    starts : of each variant
    budget : seconds for all blocks, those of earlier calls included; none is begun that would pass
        it, or if the next look is more than `OVER` times as far away as that, as far as can be
        foreseen
    timeout : seconds after which a process is ended
    done : whether an outcome is answer enough

    Raises
    ------
    OSError
        The folder can't be written.
    KeyboardInterrupt
        Ctrl-C; what was measured stays.
    """
    with _work(folder) as work:

        def one(comparison: Comparison, block: int, step: Step, caches: Path) -> Comparison:
            case = case_of(comparison, block, step)
            cold = not any(path.is_file() for path in caches.rglob("*"))
            began, clock = datetime.now(UTC).isoformat(timespec="seconds"), time.monotonic()
            record = run_case(
                job(case, exact),
                work,
                timeout=timeout,
                watch=watch,
                worker=starts[step.variant](caches),
            )
            shutil.rmtree(work / "runs")
            seconds = time.monotonic() - clock
            where = Place(block, **vars(step), cold=cold, began=began, seconds=seconds)
            known = (*comparison.readings, reading(record, where, exact))
            comparison = replace(comparison, readings=known)
            place_on_disk.write(folder, comparison)
            return comparison

        for step in left(comparison, PILOT):
            comparison = one(comparison, PILOT, step, _caches(work, step))
            yield comparison
        pilots = [each for each in comparison.readings if each.block == PILOT]
        if any(each.failure for each in pilots if each.variant in comparison.ends):
            return
        comparison = replace(
            comparison,
            tasks=tuple(_long_enough(comparison, k) for k in range(len(comparison.tasks))),
        )
        yield comparison  # with what a forecast needs to know
        while goes_on(outcome := judge(comparison), budget) and not done(outcome):
            block, empty_caches = next_block(comparison), costs(comparison).next_cold
            for step in left(comparison, block):
                if empty_caches:
                    with tempfile.TemporaryDirectory(dir=work) as empty:
                        comparison = one(comparison, block, step, Path(empty))
                else:
                    comparison = one(comparison, block, step, _caches(work, step))
                yield comparison


def case_of(comparison: Comparison, block: int, step: Step) -> Case:
    """Case of one process; all of a block have one seed, and the pilot that of no block."""
    variant, task = comparison.variants[step.variant], comparison.tasks[step.task]
    return Case(
        dataset=comparison.dataset,
        model=task.model,
        backend=variant.backend,
        method=task.method,
        settings=task.settings,
        stack=variant.stack,
        seed=comparison.seed + block - PILOT,
    )


def order(comparison: Comparison, block: int) -> list[Step]:
    """Processes of a block in their order, which is random and always the same for a comparison.

    Every second block has its variants in the order of the one before it turned round: whatever it
    does to go first, each has it as often. Which of the two comes first is left to chance, which
    has one seed for each comparison: of the same order in all of them, all would err together.
    """
    # Variants of one task stay together: the shorter the time between them, the more alike it is.
    tasks = [*range(len(comparison.tasks))]
    _chance(comparison, block).shuffle(tasks)
    both = _chance(comparison, block // 2, "pair")
    turns = {}
    for task in range(len(comparison.tasks)):
        variants = [*range(len(comparison.variants))]
        both.shuffle(variants)
        turns[task] = variants[::-1] if block % 2 else variants
    steps = [(variant, task) for task in tasks for variant in turns[task]]
    return [Step(variant, task, place) for place, (variant, task) in enumerate(steps)]


def _chance(comparison: Comparison, *of: int | str) -> random.Random:
    what = [comparison.seed, *(each.digest for each in comparison.variants), *of]
    return random.Random(" ".join(map(str, what)))  # noqa: S311  # an order, no secret


def left(comparison: Comparison, block: int) -> list[Step]:
    """Processes of a block that are still to do, in their order."""
    done = {(each.variant, each.task) for each in comparison.readings if each.block == block}
    return [
        step
        for step in order(comparison, block)
        if (step.variant, step.task) not in done and step.variant not in comparison.dropped
    ]


def next_block(comparison: Comparison) -> int:
    """Number of the block that is begun, or comes next."""
    return len({each.block for each in comparison.whole_blocks})


def goes_on(outcome: Outcome, budget: float) -> bool:
    """Whether more blocks can be had: nothing is wrong, and the next look may come in time.

    Blocks are kept, so one too many costs little; to stop for one busy minute costs the answer.
    """
    comparison = outcome.comparison
    if not outcome.valid:
        return False
    missing = following(outcome.blocks) - outcome.blocks
    begun = [each.seconds for each in comparison.readings if each.block == outcome.blocks]
    left = budget - spent(comparison) + math.fsum(begun)
    return forecast(comparison, 1) <= left and forecast(comparison, missing) <= OVER * left


def spent(comparison: Comparison) -> float:
    """Seconds that the blocks have taken so far, the pilot apart."""
    return math.fsum(each.seconds for each in comparison.readings if each.block != PILOT)


def _long_enough(comparison: Comparison, task: int) -> Task:
    """A task with as many draws or steps as take `LEAST_SECONDS` at the faster pilot's pace.

    A pilot is short, and its pace a guess: what came out less is told.
    """
    pilots = [each for each in comparison.readings if (each.block, each.task) == (PILOT, task)]
    settings = fit_settings(pilots[0].case)  # the same each time, whatever became of it later
    paces = [_pace(each.metrics) for each in pilots]
    pace = max((each for each in paces if each), default=None)
    long = settings if pace is None else _counts(settings, pace)
    return replace(comparison.tasks[task], settings=long)


def _pace(metrics: Mapping[str, float | None]) -> float | None:
    return metrics.get("draws_per_second") or metrics.get("steps_per_second")


def _counts(settings: Settings, pace: float) -> Settings:
    count = LEAST_SECONDS * pace
    if isinstance(settings, NutsSettings):
        chains = settings.chains - 1  # without the warm call
        draws = min(_rounded(count / chains), MOST_DRAWS)
        return replace(settings, draws=max(settings.draws, draws))
    return replace(settings, steps=max(settings.steps, min(_rounded(count), MOST_STEPS)))


def _rounded(count: float) -> int:
    return 1000 * math.ceil(count / 1000)


def _caches(work: Path, step: Step) -> Path:
    caches = work / "caches" / f"{step.variant}-{step.task}"
    caches.mkdir(parents=True, exist_ok=True)
    return caches


@contextmanager
def _work(folder: Path) -> Iterator[Path]:
    work = (folder / ".work").resolve()
    shutil.rmtree(work, ignore_errors=True)  # of a call that was killed
    work.mkdir(parents=True)
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)  # or by the next call, which begins with it
