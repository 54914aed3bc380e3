"""The general mixture on the command line: what is refused in one line, and what is judged."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from gmixbench.lab import references
from gmixbench.spec import ALL_MODELS

Call = Callable[..., SimpleNamespace]


def test_it_is_listed(call: Call) -> None:
    assert "ordered_full" in ALL_MODELS
    assert "ordered_full" in call("list").out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["exact", "--model", "ordered_full"], "ordered_full has no exact posterior"),
        (
            ["run", "--model", "ordered_full", "--method", "advi-matched"],
            "its fits can't be judged: give --method nuts",
        ),
        (
            ["run", "--model", "ordered_full", "--prior-scale", "3"],
            "ordered_full has priors of its own: leave --sigma and --prior-scale out",
        ),
        (
            [
                "compare",
                "here:numpyro",
                "here:pymc",
                "--model",
                "ordered",
                "--model",
                "ordered_full",
            ],
            "compare it by itself",
        ),
        (["reference", "--model", "ordered"], "unknown model 'ordered': choose from ordered_full"),
        (
            ["reference", "--backend", "numpyro"],
            "numpyro: NUTS of numpyro alone, and 2 libraries must agree: give --backend of another",
        ),
        (
            ["reference", "--backend", "numpyro", "--backend", "pymc-numpyro"],
            "numpyro, pymc-numpyro: NUTS of numpyro alone",
        ),
        (["reference", "--backend", "pymc", "--backend", "pymc-c"], "NUTS of pymc alone"),
        (["reference", "--target-accept", "1.5"], "--target-accept 1.5: give a probability"),
    ],
)
def test_what_can_not_be_is_told_in_one_line(call: Call, arguments: list[str], told: str) -> None:
    done = call(*arguments)
    assert done.code == 2
    assert told in done.err
    assert len(done.err.strip().splitlines()) == 1


def test_data_without_a_reference_are_not_measured(call: Call, tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text("1.5\n-2\n0.25\n3\n")
    done = call("run", "--data", "own.csv", "--model", "ordered_full")
    assert done.code == 2
    assert "make one with `gmixbench reference`" in done.err
    assert not (tmp_path / "results").exists()


def test_long_runs_of_other_data_of_one_name_stand_elsewhere(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def make(*arguments: object, **_: object) -> None:
        asked.append(arguments[2])
        raise KeyboardInterrupt

    monkeypatch.setattr(references, "make", make)
    for observations in ("1\n-2\n3\n", "1\n-2\n3.5\n", "1\n-2\n3\n"):
        (tmp_path / "own.csv").write_text(observations)
        assert call("reference", "--data", "own.csv").code == 130
    assert asked[0] == asked[2] != asked[1]
    assert {path.parent for path in asked} == {Path("references/.work")}  # git leaves it out


@pytest.mark.usefixtures("no_report")
def test_two_means_stay_the_default(call: Call, tmp_path: Path) -> None:
    done = call("run", "--backend", "exact", "--profile", "quick", "--method", "nuts", "--out", "o")
    assert done.code == 0, done.err
    scores = json.loads((tmp_path / "o" / "scores.json").read_text())["scores"]
    assert [row["model"] for row in scores] == ["unordered", "ordered"]


@pytest.mark.usefixtures("no_report")
def test_both_kinds_in_one_folder(call: Call, tmp_path: Path, plant: Callable[..., str]) -> None:
    """A planted sampler of made-up draws: it is judged, by the reference, and invalid."""
    name = plant(
        "general",
        """
        def density(model, points):
            return Density(points, np.zeros(len(points)), np.zeros(points.shape))

        def sample(model, job):
            settings, spread = job.case.settings, job.case.model.spread
            rng = np.random.default_rng(job.case.seed)
            shape = (settings.chains, settings.draws, 2)
            others = None if spread is None else rng.uniform(0.4, 0.6, (*shape[:2], 3))
            draws = Draws(np.sort(rng.normal(size=shape)), others=others)
            return Measured(draws, Timing(warmup_s=0.1, sample_s=0.1), Counters())
        """,
    )
    models = ("--model", "ordered", "--model", "ordered_full")
    done = call(
        "run", *models, "--backend", name, "--profile", "quick", "--method", "nuts", "--out", "o"
    )
    assert done.code == 3
    content = json.loads((tmp_path / "o" / "scores.json").read_text())
    assert [row["model"] for row in content["scores"]] == ["ordered", "ordered_full"]
    assert any("by the reference" in reason for reason in content["scores"][1]["reasons"])
    assert content["scores"][1]["mixture"]["sigma_scale"] == 2.0
    # The folder is judged again by what it holds, wherever it goes.
    assert len(list((tmp_path / "o" / references.FOLDER).glob("ordered_full-*.json"))) == 1
    assert call("score", "o").code == 3


@pytest.mark.usefixtures("no_report")
def test_the_oracle_has_no_draws_of_it(call: Call) -> None:
    done = call(
        "run", "--model", "ordered_full", "--backend", "exact", "--profile", "quick", "--out", "o"
    )
    assert done.code == 3
    assert "the exact posterior is for the two means of unordered and ordered" in done.out


def test_no_fit_is_left_out_where_none_was_asked_for(call: Call, tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text("1.5\n-2\n0.25\n3\n")
    done = call("run", "--data", "own.csv", "--model", "ordered_full", "--backend", "all")
    assert "left out" not in done.out
    done = call("run", "--data", "own.csv", "--model", "ordered_full", "--model", "ordered",
                "--backend", "all")  # fmt: skip
    assert "no advi-matched in pymc-nutpie" in done.out


def test_what_a_backend_does_not_write_is_left_out(call: Call, tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text("1.5\n-2\n0.25\n3\n")
    given = ("run", "--data", "own.csv", "--model", "ordered_full", "--backend", "all")
    done = call(*given, "--likelihood", "enumerated", "--likelihood", "discrete")
    assert "no enumerated in blackjax: left out" in done.out
    assert "no discrete in pymc-nutpie, pymc-numpyro" in done.out
