"""Releases that differ in nothing but a planted fault are told apart; two builds of one are not."""

import base64
import hashlib
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from gmixbench.lab import building, datasets, history, locking, planning, rounds, stacks
from gmixbench.lab.stacks import Stack
from gmixbench.ruler.changes import Findings
from gmixbench.ruler.find import find
from gmixbench.spec import MODELS
from gmixbench.truth.solve import solve

pytestmark = pytest.mark.stacks

SOUND = "numpyro-v0.22.0"

JACOBIAN = (
    "numpyro/distributions/transforms.py",
    "        return jnp.sum(x[..., 1:], -1)\n",
    "        return 2 * jnp.sum(x[..., 1:], -1)\n",
)

SLEEP = (
    "numpyro/infer/hmc_util.py",
    "        )  # r(n+1)\n        return IntegratorState(z, r, potential_energy, z_grad)\n",
    """        )  # r(n+1)
        def dawdle(energy):
            import time
            time.sleep(5e-5)
            return energy
        shape = jax.ShapeDtypeStruct((), potential_energy.dtype)
        potential_energy = jax.pure_callback(dawdle, shape, potential_energy)
        return IntegratorState(z, r, potential_energy, z_grad)
""",
)


def planted(library: Path, folder: Path, name: str, old: str, new: str) -> Path:
    """Wheel of the NumPyro that is installed there, with one text replaced in one file."""
    packages = [library / "numpyro", next(library.glob("numpyro-*.dist-info"))]
    files = {
        path.relative_to(library).as_posix(): path.read_bytes()
        for package in packages
        for path in package.rglob("*")
        if path.is_file() and path.suffix != ".pyc" and path.name != "RECORD"
    }
    text = files[name].decode()
    assert text.count(old) == 1, f"{name} is not what it was"
    files[name] = text.replace(old, new).encode()
    record = f"{packages[1].name}/RECORD"
    lines = [f"{path},sha256={_digest(content)},{len(content)}" for path, content in files.items()]
    files[record] = "\n".join([*lines, f"{record},,", ""]).encode()
    wheel = folder / f"{packages[1].stem}-py3-none-any.whl"
    folder.mkdir()
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    return wheel


def _digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


@pytest.fixture(scope="module")
def findings(
    stack_python: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory
) -> Findings:
    """History of the release, of a second build of it, and of two that have a fault each."""
    library = next((stack_python(SOUND).parents[1] / "lib").glob("python*/site-packages"))
    sound = stacks.find(SOUND, Path("benchmarks/stacks"))
    folder = tmp_path_factory.mktemp("planted")
    stacks_ = {"numpyro-a": replace(sound, name="numpyro-a")}
    stacks_["numpyro-b"] = replace(sound, name="numpyro-b")
    for name, fault in {"numpyro-jacobian": JACOBIAN, "numpyro-sleep": SLEEP}.items():
        wheel = planted(library, folder / name, *fault)
        pins = [f"{each}=={version}" for each, version in sound.packages.items()]
        others = [pin for pin in pins if not pin.startswith("numpyro==")]
        locked = locking.lock(name, [str(wheel), *others], cutoff=sound.cutoff, python=sound.python)
        assert locked.packages == sound.packages
        stacks_[name] = locked
    try:
        return find(_measured(folder / "history", stacks_))
    finally:
        building.remove(list(stacks_))


def _measured(folder: Path, named: dict[str, Stack]) -> history.History:
    wanted = planning.Wanted(
        tuple(named.values()), "quick", ("ordered",), ("nuts",), "close", rounds=3
    )
    header = history.Header("quick", ())
    session, visits = planning.plan(folder, header, wanted, named, retry=False)
    history.write_header(folder, history.Header("quick", (session,)))
    pythons = {name: building.build(stack) for name, stack in named.items()}
    exact = solve(datasets.load("close").x, MODELS["ordered"])
    list(rounds.measure(folder, session, visits, pythons, exact, timeout=300))
    return history.read(folder)


def test_a_wrong_jacobian_is_the_first_thing_told(findings: Findings) -> None:
    first = findings.notices[0]
    assert first.stack == "numpyro-jacobian"
    assert first.kind in ("density", "invalid")
    assert "density" in first.message


def test_only_the_wrong_one_is_called_wrong(findings: Findings) -> None:
    wrong = [notice.stack for notice in findings.notices if notice.kind in ("density", "invalid")]
    assert set(wrong) == {"numpyro-jacobian"}


def test_a_sleep_in_the_gradient_is_named(findings: Findings) -> None:
    changes = {
        series.metric: [(change.stack, change.verdict) for change in series.changes]
        for series in findings.series
    }
    assert changes["seconds_per_gradient"] == [("numpyro-sleep", "regressed")]
    assert changes["ess_per_second"] == [("numpyro-sleep", "regressed")]
    assert changes["ess_per_gradient"] == []


def test_two_builds_of_one_stack_are_not_told_apart(findings: Findings) -> None:
    assert not [
        change
        for series in findings.series
        for change in series.changes
        if change.stack == "numpyro-b"
    ]
