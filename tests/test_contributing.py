"""The worked example of CONTRIBUTING.md, as it stands there."""

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from gmixbench.disk import read_record, write_job
from gmixbench.lab import datasets
from gmixbench.lab.execute import job
from gmixbench.measured.backends import BACKENDS
from gmixbench.record import Run
from gmixbench.ruler.verdict import judge
from gmixbench.spec import MODELS, Case, NutsSettings
from gmixbench.truth.solve import solve

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder in which the example is the package that the text calls it."""
    folder = tmp_path_factory.mktemp("example")
    (folder / "mine").mkdir()
    (folder / "mine" / "__init__.py").touch()
    (folder / "mine" / "sampler.py").write_text(worked(), encoding="utf-8")
    return folder


def worked() -> str:
    """Code of the worked example."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    return str(code)


def test_the_example_is_the_backend_that_ships_but_for_its_pathfinder() -> None:
    text = Path(str(find_spec(BACKENDS["blackjax"].module).origin)).read_text(encoding="utf-8")
    nuts = text.replace("import fits_blackjax, in_jax", "import in_jax")
    nuts = re.sub(r"\n\n\ndef fit_pathfinder\(.*?\n(?=\n\n|\Z)", "\n", nuts, flags=re.DOTALL)
    assert len(nuts) < len(text)
    assert worked() == nuts


def test_all_that_the_example_takes_is_less_than_150_lines() -> None:
    registry = (ROOT / "gmixbench" / "measured" / "backends" / "__init__.py").read_text("utf-8")
    (entry,) = re.findall(
        r'^    "blackjax": Known\(\n.*?^    \),\n', registry, re.DOTALL | re.MULTILINE
    )
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    named = [line for line in project.splitlines() if re.search(r"\bblackjax\b", line)]
    assert len(named) >= 3
    # Its tests are those of every row, which need no line.
    assert len(worked().splitlines()) + len(entry.splitlines()) + len(named) < 150


@pytest.mark.parametrize("model", ["ordered", pytest.param("unordered", marks=pytest.mark.slow)])
def test_example_backend_is_valid(example: Path, tmp_path: Path, model: str) -> None:
    exact = solve(datasets.load("close").x, MODELS["ordered"])
    settings = NutsSettings(chains=2, warmup=500, draws=1_000)
    case = Case("close", MODELS[model], "mine.sampler", "nuts", settings)
    write_job(tmp_path / "job", job(case, exact))
    command = [sys.executable, "-m", "gmixbench.measured.worker"]
    subprocess.run(
        [*command, str(tmp_path / "job"), str(tmp_path / "record")],
        env={**os.environ, "PYTHONPATH": str(example)},
        check=True,
    )
    run = read_record(tmp_path / "record")
    assert isinstance(run, Run), run.message
    judged = judge(run, exact)
    assert judged.verdict.valid, judged.verdict.reasons
    assert np.isfinite(judged.scores.metrics["ess_per_second"] or np.nan)
