"""The general mixture in every backend: its density, what it draws, and what is refused."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gmixbench.lab import datasets, references
from gmixbench.lab.execute import job as job_of
from gmixbench.lab.execute import run_case
from gmixbench.measured.backends import BACKENDS, known_likelihoods, load
from gmixbench.measured.points import by_variable, joined
from gmixbench.measured.worker import measure
from gmixbench.record import Job, Run
from gmixbench.ruler.verdict import judge
from gmixbench.spec import GENERAL, PROFILES, Case, NutsSettings, Spread
from gmixbench.truth import density

FULL = GENERAL["ordered_full"]

ROWS = [name for name in BACKENDS if name not in {"exact", "pymc3"}]

SMALL = NutsSettings(chains=2, warmup=50, draws=20)


def job(name: str, form: str = "mixture", model: Any = FULL, method: str = "nuts") -> Job:
    rng = np.random.default_rng(7)
    settings = SMALL if method == "nuts" else PROFILES["quick"].settings(method)
    case = Case("close", model, name, method, settings, seed=5, likelihood=form)
    starts = np.array([[-1.2, 0.9, 0.0, 0.0, 0.0], [-0.7, 0.5, 0.1, -0.1, 0.2]])
    return Job(case, datasets.load("close").x, starts, rng.normal(0.0, 2.0, (50, 5)))


def errors(name: str, work: Job, model: Any = FULL) -> float:
    backend = load(name)
    found = backend.density(backend.build(work), work.points)
    wanted = density.log_density(model, work.x, work.points)
    assert found.values.dtype == found.gradients.dtype == np.float64
    return max(
        float(np.max(np.abs(one - other) / np.maximum(1.0, np.abs(other))))
        for one, other in zip((found.values, found.gradients), wanted, strict=True)
    )


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("pymc", "mixture"),
        ("pymc", "logsumexp"),
        ("numpyro", "mixture"),
        ("numpyro", "logsumexp"),
        ("numpyro", "enumerated"),
        ("blackjax", "mixture"),
    ],
)
def test_density_is_the_written_one(name: str, form: str) -> None:
    assert errors(name, job(name, form)) <= 1e-10


@pytest.mark.slow
@pytest.mark.parametrize("form", ["mixture", "logsumexp"])
@pytest.mark.parametrize("name", ROWS)
def test_density_is_the_written_one_in_every_row(name: str, form: str) -> None:
    assert form in known_likelihoods(load(name))
    assert errors(name, job(name, form)) <= 1e-10


@pytest.mark.parametrize(
    "spread", [Spread(sigma_scale=1.0), Spread(weight=(5.0, 4.0))], ids=["sigma", "weight"]
)
@pytest.mark.parametrize(
    "name", ["numpyro", *(pytest.param(k, marks=pytest.mark.slow) for k in ("pymc", "blackjax"))]
)
def test_a_wrong_prior_is_seen(name: str, spread: Spread) -> None:
    """The negative control: a library that has another prior than it was asked for."""
    assert errors(name, job(name, model=replace(FULL, spread=spread))) > 1e-3


def test_a_jacobian_left_out_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same: standard deviations on the log scale whose log-Jacobian is forgotten."""
    blackjax = load("blackjax")

    def build(work: Job) -> Any:
        right = kept(work)
        return right._replace(log_density=lambda point: right.log_density(point) - point[2])

    kept = blackjax.build
    monkeypatch.setattr(blackjax, "build", build)
    assert errors("blackjax", job("blackjax")) > 1e-3


def test_variables_have_one_name_everywhere() -> None:
    values = np.arange(30.0).reshape(2, 3, 5)
    np.testing.assert_array_equal(joined(by_variable(FULL, values)), values)


@pytest.mark.parametrize("name", ["numpyro", pytest.param("blackjax", marks=pytest.mark.slow)])
def test_draws_are_of_all_that_is_unknown(name: str) -> None:
    work, backend = job(name), load(name)
    draws = backend.sample(backend.build(work), work).result
    assert draws.means.shape == (2, 20, 2)
    assert draws.others.shape == (2, 20, 3)
    assert np.all(draws.means[..., 0] < draws.means[..., 1])
    assert np.all(draws.others > 0)
    assert np.all(draws.others[..., 2] < 1)


def test_a_fit_is_refused() -> None:
    with pytest.raises(NotImplementedError, match="a fit of ordered_full can't be judged"):
        measure(job("numpyro", method="advi-matched"))


@pytest.mark.slow
def test_a_backend_that_forgets_the_rest_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    blackjax = load("blackjax")
    kept = blackjax.sample

    def sample(model: Any, work: Job) -> Any:
        measured = kept(model, work)
        return measured._replace(result=replace(measured.result, others=None))

    monkeypatch.setattr(blackjax, "sample", sample)
    with pytest.raises(ValueError, match="draws of m1, m2, s1, s2, theta are wanted"):
        measure(job("blackjax"))


@pytest.mark.slow
@pytest.mark.parametrize("dataset", ["close", "low_dim_gauss_mix"])
@pytest.mark.parametrize("name", ["pymc", "numpyro", "blackjax", "nutpie"])
def test_a_row_is_valid(name: str, dataset: str, tmp_path: Any) -> None:
    reference = references.find(datasets.load(dataset).x, FULL)
    case = Case(dataset, FULL, name, "nuts", PROFILES["quick"].nuts, seed=2)
    run = run_case(job_of(case, reference), tmp_path, timeout=1800)
    assert isinstance(run, Run), run
    judged = judge(run, reference)
    assert judged.verdict.valid, judged.verdict.reasons


@pytest.mark.slow
@pytest.mark.parametrize("name", ["pymc-numpyro", "nutpie-jax"])
def test_a_route_draws_the_same(name: str, tmp_path: Any) -> None:
    reference = references.find(datasets.load("low_dim_gauss_mix").x, FULL)
    case = Case("low_dim_gauss_mix", FULL, name, "nuts", PROFILES["quick"].nuts, seed=2)
    run = run_case(job_of(case, reference), tmp_path, timeout=1800)
    assert isinstance(run, Run), run
    judged = judge(run, reference)
    assert judged.verdict.valid, judged.verdict.reasons
