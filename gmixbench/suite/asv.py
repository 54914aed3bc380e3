"""Benchmarks for asv, whose page then shows the versions of a library side by side.

`from gmixbench.suite.asv import Advi, Nuts` in a file of any asv suite is all that it takes.

To asv less is better, always: speeds are told as seconds, effective sample size as what one
effective draw costs. Every fit is judged against the exact posterior first. One that is refused
fails its benchmarks, which asv takes for worse, and its reason is shown. What asv shows as n/a and
takes for no change is a stack that is not built, or a number that its library does not tell.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from gmixbench.ruler.lower import LOWER, Lower
from gmixbench.ruler.metrics import METRICS
from gmixbench.spec import MODELS
from gmixbench.suite import asv_plan
from gmixbench.suite.asv_plan import Fits

__all__ = ["Advi", "Nuts"]

PLAN = asv_plan.plan()


class NoResultError(RuntimeError):
    """What fails a benchmark: a fit that was refused, or samples that would count twice."""


class _Benchmarks:
    """What all share: the parameters, and the fits, which are made once for all."""

    method: ClassVar[str]
    # Else asv takes a digest of the source, and any edit ends the history.
    version = f"1-{PLAN.profile}"
    timeout = 120.0
    params = (PLAN.stacks, tuple(MODELS))
    param_names = ("stack", "model")

    def setup_cache(self) -> Fits:
        """Fits of both methods; asv makes them once, since it has the same lines in each class."""
        from gmixbench.suite import asv_fits  # loads the ruler, which no other process needs

        return asv_fits.fit_all(PLAN)

    vars(setup_cache)["timeout"] = PLAN.timeout

    def setup(self, fits: Fits, stack: str, model: str) -> None:
        """Raise what asv shows as n/a, or as failed, where there is no fit to read."""
        fitted = fits[stack, model, self.method]
        if fitted.absent:
            raise NotImplementedError(fitted.absent)
        if fitted.refused:
            raise NoResultError(fitted.refused)


class Nuts(_Benchmarks):
    """NUTS, both models, judged; the labelled R-hat of `unordered` is label switching itself."""

    method = "nuts"


class Advi(_Benchmarks):
    """Mean-field ADVI with the same optimizer in every library, both models, judged."""

    method = "advi-matched"


def _track(shown: Lower) -> Callable[..., Any]:
    """Benchmark that tells asv a metric of each fit."""

    def track(
        self: _Benchmarks, fits: Fits, stack: str, model: str
    ) -> dict[str, list[float] | int]:
        from asv_runner.benchmarks.mark import SkipNotImplemented  # there where asv runs

        _only_once(f"{self.method}-{shown.metric}-{stack}-{model}")
        samples = []
        for numbers in fits[stack, model, self.method].metrics:
            if numbers[shown.metric] is None:
                raise SkipNotImplemented(f"{stack} tells no {shown.metric} of {model}")
            value = shown.value(numbers)
            if value is None:
                told = numbers[shown.metric]
                raise NoResultError(f"{shown.metric} of {model} in {stack} is {told}")
            samples.append(float(f"{value:.6g}"))  # asv shows every digit that it gets
        return {"samples": samples, "number": 1}

    metric = METRICS[shown.metric]
    track.__qualname__ = f"{_Benchmarks.__name__}.track"
    vars(track).update(
        metric=metric.name,
        pretty_name=shown.title,
        unit=shown.unit,
        pretty_source=f"# {metric.name}, {metric.unit}: {metric.definition}",  # the page's "code"
    )
    return track


for _shown in LOWER:
    setattr({"nuts": Nuts, "advi": Advi}[_shown.kind], f"track_{_shown.name}", _track(_shown))


def _only_once(name: str) -> None:
    """Leave a mark in the fits' folder, where asv runs us; raise where another process has been.

    With `-a rounds=N` and without `--interleave-rounds`, asv makes the fits once and counts their
    samples N times, which its test would believe.
    """
    mark = Path(f"{name}.read")
    try:
        with mark.open("x", encoding="utf-8") as file:
            file.write(str(os.getpid()))
    except FileExistsError:
        if mark.read_text(encoding="utf-8") != str(os.getpid()):
            raise NoResultError(
                "asv would count the same fits again: give --interleave-rounds beside rounds"
            ) from None
