"""From records to `scores.json`: strict JSON, whatever the numbers are."""

import json

import numpy as np
import pytest

from gmixbench.disk import write_record
from gmixbench.lab import datasets, store
from gmixbench.lab.results import judge_folder, write_scores
from gmixbench.record import Counters, Density, Draws, Failure, Fit, Run, Timing
from gmixbench.ruler.metrics import METRICS
from gmixbench.spec import MODELS
from gmixbench.truth.density import log_density

DATA = datasets.load("overlapping")


@pytest.fixture
def score(make_case, tmp_path):
    """Judge results as if a backend had left them, and give what `scores.json` holds."""

    def write(**results):
        cases = {method: make_case("planted", method=method) for method in results}
        plan = store.Plan("quick", tuple(cases.values()), {"python": "3"})
        store.prepare(tmp_path, plan, [DATA], fresh=False)
        points = np.array([[0.0, 0.0], [-1.0, 1.0]])
        density = Density(points, *log_density(MODELS["ordered"], DATA.x, points))
        for method, result in results.items():
            case = cases[method]
            record = Failure(case, "crash", "planted")
            if result is not None:
                timing = Timing(sample_s=1.0, fit_s=1.0)
                record = Run(case, timing, Counters(), density, result, {"python": "3"})
            write_record(store.stem(tmp_path, case), record)
        path = write_scores(tmp_path, judge_folder(tmp_path))

        def refuse(word):
            raise AssertionError(f"{word} is not JSON")

        return json.loads(path.read_text(), parse_constant=refuse)

    return write


def test_what_is_not_finite_is_null(score):
    draws = Draws(np.full((2, 50, 2), np.nan))
    fit = Fit(np.full(600, np.inf), np.array([np.nan, 0]), np.eye(2), np.zeros((5, 2)))
    nuts, advi = score(nuts=draws, **{"advi-matched": fit})["scores"]
    assert not nuts["valid"]
    assert not advi["valid"]
    assert "some draws are not finite" in nuts["reasons"]
    assert "the fitted normal has no finite loss" in advi["reasons"]
    for judged in (nuts, advi):
        assert list(judged["metrics"]) == list(METRICS)
    assert advi["metrics"]["average_loss"] is None
    assert nuts["metrics"]["bias_z"] is None


def test_constant_draws_are_judged(score):
    (nuts,) = score(nuts=Draws(np.full((2, 50, 2), 1.0)))["scores"]
    assert not nuts["valid"]


def test_few_draws_are_judged(score):
    rng = np.random.default_rng(0)
    (nuts,) = score(nuts=Draws(np.sort(rng.normal(size=(1, 3, 2)))))["scores"]
    assert not nuts["valid"]


def test_failures_stand_apart(score):
    content = score(nuts=None)
    assert content["scores"] == []
    assert content["failures"][0]["message"] == "planted"


def test_a_folder_without_records_is_judged(make_case, tmp_path):
    plan = store.Plan("quick", (make_case(),), {})
    store.prepare(tmp_path, plan, [DATA], fresh=False)
    results = judge_folder(tmp_path)
    assert results.judged == results.failures == ()
    assert results.missing == (make_case(),)
