"""What makes a reference, and what makes none."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gmixbench.lab import datasets, references
from gmixbench.lab.execute import job
from gmixbench.record import Counters, Density, Draws, Failure, Run, Timing
from gmixbench.ruler import certify as certifying
from gmixbench.ruler.certify import UncertifiedError, certify
from gmixbench.spec import GENERAL, MODELS, Dataset, NutsSettings
from gmixbench.truth import density
from gmixbench.truth.exact import Exact
from gmixbench.truth.reference import Place, find_place

FULL = GENERAL["ordered_full"]
CLOSE = datasets.load("close")
SETTINGS = NutsSettings(chains=4, warmup=0, draws=3000)

Make = Callable[..., Run]


@pytest.fixture(scope="module")
def place() -> Place:
    return find_place(CLOSE.x, FULL)


@pytest.fixture
def run(place: Place, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Long run of a backend that draws around the mode; certifying asks for what it has."""
    monkeypatch.setattr(certifying, "LEAST_ESS", 5000.0)
    monkeypatch.setattr(certifying, "LARGEST_RHAT", 1.01)

    def make(backend: str, seed: int, shift: float = 0.0, off: float = 0.0, **given: Any) -> Run:
        (case,) = references.cases(CLOSE, FULL, [backend], SETTINGS)
        rng = np.random.default_rng(seed)
        points = place.peak + place.spread * (0.5 * rng.standard_normal((12_000, 5)) + shift)
        values = density.constrain(FULL, points).reshape(4, 3000, 5)
        diverging = np.zeros((4, 3000), dtype=bool)
        drawn = {"diverging": diverging, **given}
        at = job(case, place).points
        told = density.log_density(FULL, place.x, at)
        return Run(
            replace(case, seed=seed),
            Timing(),
            Counters(),
            Density(at, told[0] + off * at[:, 1], told[1]),
            Draws(values[..., :2], others=values[..., 2:], **drawn),
            {"python": "3.13.0", "machine": "some"},
        )

    return make


def test_libraries_that_agree_make_a_reference(place: Place, run: Make) -> None:
    reference = certify(place, [run("one", 1), run("other", 2)])
    whole = np.concatenate([run(name, seed).result.parameters for name, seed in
                            (("one", 1), ("other", 2))])  # fmt: skip
    for k, known in enumerate(reference.known()[:-1]):
        x = whole[..., k]
        assert known.mean.value == pytest.approx(x.mean())
        assert known.sd.value == pytest.approx(x.std(ddof=1))
        assert known.mean.error == pytest.approx(x.std() / np.sqrt(x.size), rel=0.1)
        assert known.quantiles[0.05].value == pytest.approx(np.quantile(x, 0.05))
    assert [told["backend"] for told in reference.made["runs"]] == ["one", "other"]
    assert reference.made["runs"][0]["versions"] == {"python": "3.13.0"}


def test_one_library_is_not_enough(place: Place, run: Make) -> None:
    with pytest.raises(UncertifiedError, match="1 backend, 2 must agree"):
        certify(place, [run("one", 1), run("one", 2)])


def test_libraries_that_disagree_make_none(place: Place, run: Make) -> None:
    # A tenth of a standard deviation: 7 standard errors of two runs of 12,000 independent draws.
    with pytest.raises(UncertifiedError, match="standard errors apart"):
        certify(place, [run("one", 1), run("other", 2, shift=0.05)])


def test_a_wrong_density_makes_none(place: Place, run: Make) -> None:
    with pytest.raises(UncertifiedError, match=r"other: density_error \S+ exceeds 1e-10"):
        certify(place, [run("one", 1), run("other", 2, off=1e-6)])
    steep = run("other", 2)
    told = steep.density
    assert told is not None
    density = replace(told, gradients=told.gradients * (1 + 1e-8))
    with pytest.raises(UncertifiedError, match="other: density_error 1e-08 exceeds 1e-10"):
        certify(place, [run("one", 1), replace(steep, density=density)])


def test_a_divergence_makes_none(place: Place, run: Make) -> None:
    diverging = np.zeros((4, 3000), dtype=bool)
    diverging[1, 5] = True
    with pytest.raises(UncertifiedError, match="1 divergences of other: a higher --target-accept"):
        certify(place, [run("one", 1), run("other", 2, diverging=diverging)])
    with pytest.raises(UncertifiedError, match="other does not tell of divergences"):
        certify(place, [run("one", 1), run("other", 2, diverging=None)])


def test_chains_that_disagree_or_are_short_make_none(
    place: Place, run: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(certifying, "LEAST_ESS", 30_000.0)
    with pytest.raises(UncertifiedError, match=r"ESS .*, 30,000 are needed: more --draws"):
        certify(place, [run("one", 1), run("other", 2)])
    apart = run("one", 1)
    apart.result.others[0] *= 1.2
    with pytest.raises(UncertifiedError, match="R-hat"):
        certify(place, [apart, run("other", 2)])


def test_a_failed_run_makes_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = references.cases(CLOSE, FULL, ["one", "other"], SETTINGS)
    failure = Failure(wanted[0], "missing", "No module named 'one'")
    monkeypatch.setattr(references, "run_case", lambda *_, **__: failure)
    with pytest.raises(UncertifiedError, match=r"one failed \(missing\): No module named 'one'"):
        list(references.make(CLOSE, wanted, tmp_path, timeout=1.0))


def test_what_was_drawn_is_not_drawn_again(
    tmp_path: Path, run: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gmixbench.disk import write_record
    from gmixbench.lab import store

    wanted = references.cases(CLOSE, FULL, ["one", "other"], SETTINGS)
    asked = []

    def run_case(work: Any, *_: Any, **__: Any) -> Run:
        asked.append(work.case.backend)
        return run(work.case.backend, 2)

    write_record(store.stem(tmp_path, wanted[0]), replace(run("one", 1), case=wanted[0]))
    monkeypatch.setattr(references, "run_case", run_case)
    assert len(list(references.make(CLOSE, wanted, tmp_path, timeout=1.0))) == 2
    assert asked == ["other"]


def test_two_means_are_judged_exactly() -> None:
    data = Dataset("few", CLOSE.x[:10])
    assert isinstance(references.posterior_of(data.x, MODELS["ordered"]), Exact)
    with pytest.raises(references.MissingReferenceError, match="no reference on these 10 observat"):
        references.posterior_of(data.x, FULL)
