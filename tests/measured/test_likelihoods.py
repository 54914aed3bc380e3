"""Forms of the likelihood: three have one density, the fourth the same posterior of the means."""

from dataclasses import replace
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest

from gmixbench.lab import datasets
from gmixbench.lab.execute import job as job_of
from gmixbench.lab.execute import run_case
from gmixbench.measured.backends import BACKENDS, known_likelihoods, load
from gmixbench.measured.points import constrained
from gmixbench.record import Failure, Run
from gmixbench.ruler.verdict import BY_DRAWS, judge
from gmixbench.spec import LIKELIHOODS, MODELS, PROFILES, Case
from gmixbench.truth import density
from gmixbench.truth.exact import Exact
from gmixbench.truth.solve import solve

# pymc-extras and what it needs say so of each other when they are imported.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")

MARGINAL = tuple(form for form in LIKELIHOODS if form != "discrete")

ROWS = [name for name in BACKENDS if name not in {"exact", "pymc3"}]

FROZEN = "'FrozenApply' object has no attribute 'clone_with_new_inputs'"
"""What pymc-extras 0.11 to 0.12 say with PyTensor 3.3, which PyMC 6.4 needs, whatever the labels'
distribution is and however they choose a mean. With PyMC 5.28 it marginalizes."""


def by_pymc_extras(name: str, form: str) -> bool:
    return form == "enumerated" and name.startswith(("pymc", "nutpie"))


def frozen() -> bool:
    """Whether PyTensor's inner graphs can't be cloned, which is where it ends."""
    import pytensor.graph.basic

    return hasattr(pytensor.graph.basic, "FrozenApply")


def density_of(name: str, form: str, model: str, make_job: Any) -> tuple[Any, Any]:
    job = make_job(name, model, likelihood=form)
    backend = load(name)
    return job, backend.density(backend.build(job), job.points)


def hold(name: str, form: str, model: str, make_job: Any) -> None:
    """Hold a form against the written density, or a failure against what is known of it."""
    if by_pymc_extras(name, form) and frozen():
        with pytest.raises(AttributeError, match=FROZEN):
            density_of(name, form, model, make_job)
        return
    job, found = density_of(name, form, model, make_job)
    assert found.values.dtype == found.gradients.dtype == np.float64
    assert_agree(found, density.log_density(job.case.model, job.x, job.points))


def assert_agree(found: Any, wanted: tuple[np.ndarray, np.ndarray]) -> None:
    for one, other in zip((found.values, found.gradients), wanted, strict=True):
        assert np.max(np.abs(one - other) / np.maximum(1.0, np.abs(other))) <= 1e-10


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("pymc", "logsumexp"),
        ("pymc", "enumerated"),
        ("numpyro", "logsumexp"),
        ("numpyro", "enumerated"),
    ],
)
def test_density_is_the_written_one(name, form, make_job):
    hold(name, form, "ordered", make_job)


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("form", MARGINAL)
@pytest.mark.parametrize("name", ROWS)
def test_density_is_the_written_one_in_every_row(name, form, model, make_job):
    if form not in known_likelihoods(load(name)):
        pytest.skip(f"{name} has no {form}")
    hold(name, form, model, make_job)


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS)
def test_forms_agree_among_each_other(model, make_job):
    forms = [density_of("numpyro", form, model, make_job)[1] for form in MARGINAL]
    for one in forms:
        for other in forms:
            assert_agree(one, (other.values, other.gradients))


def test_each_row_says_which_forms_it_knows():
    known = {name: known_likelihoods(load(name)) for name in ("pymc", "numpyro", "blackjax")}
    assert known["pymc"] == known["numpyro"] == LIKELIHOODS
    assert known["blackjax"] == ("mixture", "logsumexp")
    assert all(find_spec(BACKENDS[name].module) for name in ROWS)


@pytest.fixture(scope="module")
def exact_close() -> Exact:
    return solve(datasets.load("close").x, MODELS["ordered"])


def quick(name: str, form: str) -> Case:
    settings = PROFILES["quick"].nuts
    return Case("close", MODELS["ordered"], name, "nuts", settings, seed=1, likelihood=form)


@pytest.mark.slow
@pytest.mark.parametrize("form", [form for form in LIKELIHOODS if form != "mixture"])
@pytest.mark.parametrize("name", ["pymc", "numpyro"])
def test_a_form_is_valid(name, form, tmp_path, exact_close):
    record = run_case(job_of(quick(name, form), exact_close), tmp_path, timeout=900)
    if by_pymc_extras(name, form) and frozen():
        assert isinstance(record, Failure)
        assert record.message == f"AttributeError: {FROZEN}"
        return
    assert isinstance(record, Run), record
    judged = judge(record, exact_close)
    assert judged.verdict.valid, judged.verdict.reasons
    assert (BY_DRAWS in judged.verdict.reasons) == (form == "discrete")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["pymc", "numpyro"])
def test_sampled_labels_of_wrong_weights_are_invalid(name, exact_close, monkeypatch):
    """The negative control: a fault that only the draws can show."""
    forms = load(name).likelihoods
    monkeypatch.setattr(forms, "WEIGHTS", (0.65, 0.35))
    job = job_of(quick(name, "discrete"), exact_close)
    backend = load(name)
    measured = backend.sample(backend.build(job), job)
    run = Run(job.case, measured.timing, measured.counters, None, measured.result, {})
    judged = judge(run, exact_close)
    assert not judged.verdict.valid
    assert any(reason.startswith("bias: ") for reason in judged.verdict.reasons)


@pytest.fixture(scope="module", params=["pymc", "numpyro"])
def sampled(request, make_job) -> Any:
    """Draws beside sampled labels."""
    name = str(request.param)
    job = make_job(name, likelihood="discrete")
    backend = load(name)
    return job, backend.sample(backend.build(job), job)


@pytest.mark.slow
def test_gradients_beside_sampled_labels_are_those_of_nuts(sampled):
    job, measured = sampled
    settings, draws, counters = job.case.settings, measured.result, measured.counters
    shape = (settings.chains, settings.draws)
    assert draws.means.shape == (*shape, 2)
    for statistic in (draws.energy, draws.diverging, draws.at_max_treedepth, draws.gradients):
        assert np.shape(statistic) == shape
    assert np.all(np.diff(draws.means) > 0)
    # A step at least, and the gradient that the new labels ask for.
    assert draws.gradients.min() >= 2
    assert counters.gradients_sample == draws.gradients.sum()
    assert counters.gradients_warmup >= 2 * settings.chains * settings.warmup


@pytest.mark.slow
def test_phases_beside_sampled_labels_hold_no_compilation(sampled):
    _, measured = sampled
    timing = measured.timing
    assert min(timing.compile_s, timing.warmup_s, timing.sample_s) > 0
    assert np.sum(measured.result.seconds) == pytest.approx(timing.sample_s)
    # Warm-up has twice the draws; compilation takes longer than all of them.
    assert timing.warmup_s < 6 * timing.sample_s
    assert timing.compile_s > timing.sample_s


@pytest.mark.slow
@pytest.mark.parametrize("name", ["pymc", "numpyro"])
def test_chains_beside_sampled_labels_start_where_the_job_says(name, make_job):
    job = make_job(name, likelihood="discrete", warmup=2, draws=2, max_treedepth=1)
    backend = load(name)
    means = backend.sample(backend.build(job), job).result.means[:, 0]
    starts = constrained(job.case.model, job.starts)
    distance = np.linalg.norm(means[:, None] - starts[None], axis=2)
    assert list(distance.argmin(axis=1)) == [0, 1]


@pytest.mark.slow
@pytest.mark.parametrize("form", MARGINAL)
def test_advi_fits_the_same_in_each_form(form, make_job):
    backend = load("numpyro")
    job = make_job("numpyro", "ordered", "advi-matched", steps=1000)
    fits = [
        backend.fit_advi(backend.build(each), each).result
        for each in (job, replace(job, case=replace(job.case, likelihood=form)))
    ]
    np.testing.assert_allclose(fits[0].location, fits[1].location, atol=0.02)
    np.testing.assert_allclose(fits[0].scale, fits[1].scale, atol=0.02)
