"""`gmixbench scale`, from a terminal."""

import pytest
from typer.testing import CliRunner

from gmixbench.cli import app
from gmixbench.cli.exits import exit_code_of
from gmixbench.lab import scale as lab


def scaled(*arguments):
    return CliRunner().invoke(app, ["scale", *map(str, arguments)])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--budget", "soon"], "--budget soon: give a time as 90s, 10m or 1.5h"),
        (["--backend", "stan"], "unknown backend 'stan'"),
        (["--model", "both"], "unknown model 'both'"),
        (["--likelihood", "discrete"], "sampled labels have no gradient of the means"),
        (["report", "nowhere"], "nowhere holds no costs: name a folder that `scale` made"),
    ],
)
def test_bad_input_is_told_in_one_line(arguments, words):
    result = scaled(*arguments)
    assert words in str(result.exception)
    assert exit_code_of(result.exception) == 2


def test_a_size_beyond_a_million_is_refused():
    assert scaled("--most", 10**7).exit_code == 2


def test_all_is_a_row_for_each_gradient_that_differs(tmp_path, monkeypatch):
    def planned(*arguments):
        asked = []
        monkeypatch.setattr(lab, "measure", lambda cases, *_, **__: asked.extend(cases) or [])
        out = tmp_path / str(len(arguments))
        result = scaled(*arguments, "--most", 100, "--out", out)
        return [case.backend for case in asked], result.output

    different = ["pymc-c", "pymc-numba", "pymc-jax", "pymc-numpyro", "numpyro", "blackjax"]
    found, told = planned("--backend", "all")
    assert found == different
    assert "pymc, pymc-nutpie, nutpie: the gradient of pymc-numba, left out" in told
    assert "numpyro-parallel, numpyro-vectorized: the gradient of numpyro, left out" in told
    found, told = planned("--backend", "all", "--backend", "nutpie")
    assert set(found) == {*different, "nutpie"}
    found, told = planned("--backend", "all", "--likelihood", "enumerated")
    assert found == [name for name in different if name != "blackjax"]
    assert "no enumerated in blackjax: left out" in told
    found, told = planned()
    assert found == ["pymc", "numpyro"]
    assert "left out" not in told


def test_measured_once_then_replayed(tmp_path):
    first = scaled("--backend", "exact", "--most", 1_000, "--out", tmp_path)
    assert first.exit_code == 0, first.output
    assert "exact, ordered, n = 1,000" in first.output
    assert "exact, ordered: growth is not told: 2 sizes were timed, 4 are needed" in first.output
    assert "fit off by: how far a size's time is from that curve" in first.output
    written = sorted((tmp_path / "runs").glob("*.json"))
    before = [path.stat().st_mtime_ns for path in written]
    assert scaled("--backend", "exact", "--most", 1_000, "--out", tmp_path).exit_code == 0
    assert scaled("report", tmp_path).exit_code == 0
    assert [path.stat().st_mtime_ns for path in written] == before
    assert (tmp_path / "scale.html").is_file()
    assert (tmp_path / "figures" / "scale.png").is_file()


def test_a_folder_of_costs_is_no_run_and_the_other_way_round(tmp_path):
    assert scaled("--backend", "exact", "--most", 100, "--out", tmp_path).exit_code == 0
    runner = CliRunner()
    for command in ("report", "score", "ranking"):
        result = runner.invoke(app, [command, str(tmp_path)])
        assert "gmixbench scale report" in str(result.exception)
    run = runner.invoke(
        app, ["run", "--profile", "quick", "--backend", "exact", "--out", str(tmp_path)]
    )
    assert "holds what another command measured" in str(run.exception)
