"""Comparisons made of numbers, without a process."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from gmixbench.ruler.comparison.nouns import Comparison, Reading, Task, Variant
from gmixbench.ruler.score import Check
from gmixbench.spec import COMPARE, MODELS, Case

MakeComparison = Callable[..., Comparison]


def _checks(bias: float) -> tuple[Check, ...]:
    return tuple(
        Check(name, 1.0 + 0.01 * bias, 1.0, 0.01, abs(bias)) for name in ("mean of it", "sd of it")
    )


@pytest.fixture(scope="session")
def make_comparison() -> MakeComparison:
    """Comparison of variants by the values of metrics: each of shape (blocks, variants).

    `bias` is that of every process in its own standard errors, by variant; anything else goes to
    the comparison.
    """

    def make(
        metrics: Mapping[str, Any],
        *,
        method: str = "nuts",
        names: Sequence[str] = ("old", "new"),
        bias: Sequence[float] = (),
        faults: Mapping[tuple[int, int], str] | None = None,
        draws: Callable[[int, int], str] = lambda block, variant: f"{block} {variant}",
        **rest: Any,
    ) -> Comparison:
        values = {name: np.asarray(each, dtype=float) for name, each in metrics.items()}
        settings = COMPARE.settings(method)
        task = Task(MODELS["ordered"], method, settings)
        readings = tuple(
            Reading(
                block=block,
                variant=variant,
                task=0,
                place=variant,
                case=Case("close", task.model, name, method, settings, seed=block + 1),
                cold=True,
                began="2026-11-25T00:00:00+00:00",
                seconds=5.0,
                metrics={metric: _number(each[block, variant]) for metric, each in values.items()},
                checks=_checks(bias[variant] if bias else 0.0) if method == "nuts" else (),
                ess=5000.0 if method == "nuts" else None,
                faults=tuple(filter(None, [(faults or {}).get((block, variant))])),
                draws=draws(block, variant),
            )
            for block in range(len(next(iter(values.values()))))
            for variant, name in enumerate(names)
        )
        given = {"band": 0.02, "alpha": 0.01, "seed": 1, "machine": {"cpu": "a processor"}} | rest
        variants = tuple(Variant(name, "here", name, {"python": "3.13.0"}, name) for name in names)
        return Comparison(variants, (task,), "close", readings=readings, **given)

    return make


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


@pytest.fixture(scope="session")
def pairs() -> Callable[..., np.ndarray]:
    """Values of a metric, shape (blocks, 2): lognormal around `level`, the new one `ratio` times.

    `drift` is the noise that both of a block share.
    """

    def make(
        blocks: int,
        ratio: float = 1.0,
        *,
        noise: float = 0.01,
        drift: float = 0.1,
        level: float = 1e-6,
        seed: int = 0,
    ) -> np.ndarray:
        rng = np.random.default_rng(seed)
        shared = drift * rng.standard_normal((blocks, 1))
        own = noise * rng.standard_normal((blocks, 2))
        return np.asarray(level * np.exp(shared + own) * np.array([1.0, ratio]))

    return make
