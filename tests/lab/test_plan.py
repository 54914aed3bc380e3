"""Which cases a run is made of."""

from gmixbench.lab.plan import plan_cases
from gmixbench.spec import LIKELIHOODS, METHODS, MODELS, NutsSettings

ALL = {
    "profile": "quick",
    "models": list(MODELS.values()),
    "backends": ["pymc", "numpyro"],
    "methods": list(METHODS),
    "datasets": ["close"],
    "chains": None,
    "starts": "dispersed",
    "seeds": [0],
    "likelihoods": ["mixture"],
}


def test_every_combination_once():
    cases = plan_cases(**ALL)
    assert len(cases) == len(set(cases)) == 2 * (2 * len(METHODS) - 1)  # NumPyro has no Pathfinder
    assert {case.stack for case in cases} == {"here"}
    more = plan_cases(**{**ALL, "datasets": ["close", "separated"], "seeds": [0, 1, 2]})
    assert len(set(more)) == 2 * 3 * len(cases)


def test_a_backend_is_asked_for_what_it_knows():
    cases = plan_cases(**{**ALL, "backends": ["nutpie", "blackjax", "my.own"]})
    methods = {
        name: {case.method for case in cases if case.backend == name}
        for name in ("nutpie", "blackjax", "my.own")
    }
    assert methods["nutpie"] == {"nuts"}
    assert methods["blackjax"] == {"nuts", "pathfinder"}
    assert methods["my.own"] == set(METHODS)  # it says so itself when it is run


def test_a_backend_is_asked_for_the_likelihoods_that_it_knows():
    given = {"backends": ["nutpie", "blackjax", "my.own"], "likelihoods": list(LIKELIHOODS)}
    cases = plan_cases(**{**ALL, **given})
    forms = {
        name: {case.likelihood for case in cases if case.backend == name}
        for name in given["backends"]
    }
    assert forms["nutpie"] == {"mixture", "logsumexp", "enumerated"}
    assert forms["blackjax"] == {"mixture", "logsumexp"}
    assert forms["my.own"] == set(LIKELIHOODS)  # it says so itself when it is run
    assert {case.method for case in cases if case.likelihood == "discrete"} == {"nuts"}


def test_libraries_stand_side_by_side():
    first, second = plan_cases(**ALL)[:2]
    assert (first.backend, second.backend) == ("pymc", "numpyro")
    assert (first.model, first.method) == (second.model, second.method)


def test_forms_of_a_likelihood_stand_side_by_side():
    cases = plan_cases(**{**ALL, "likelihoods": ["mixture", "logsumexp"]})
    told = [(case.backend, case.likelihood) for case in cases[:3]]
    assert told == [("pymc", "mixture"), ("pymc", "logsumexp"), ("numpyro", "mixture")]
    assert len(set(cases)) == 2 * len(plan_cases(**ALL))


def test_processes_of_one_seed_follow_each_other():
    cases = plan_cases(**{**ALL, "seeds": [0, 1]})
    assert [case.seed for case in cases[:4]] == [0, 0, 1, 1]
    assert [case.backend for case in cases[:4]] == ["pymc", "numpyro"] * 2


def test_chains_and_starts_are_of_nuts():
    cases = plan_cases(**{**ALL, "chains": 7, "starts": "one-mode"})
    nuts = {case.settings for case in cases if case.method == "nuts"}
    assert nuts == {NutsSettings(7, 1000, 1000, starts="one-mode")}
    assert {case.settings for case in cases if case.method != "nuts"} == {
        case.settings for case in plan_cases(**ALL) if case.method != "nuts"
    }
