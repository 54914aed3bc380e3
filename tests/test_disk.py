"""What a run leaves survives the way to disk and back, or is not there at all."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gmixbench import disk
from gmixbench.disk import (
    DamagedRecordError,
    case_from_dict,
    case_key,
    case_to_dict,
    has_record,
    move_record,
    read_job,
    read_record,
    write_array,
    write_bytes,
    write_job,
    write_record,
)
from gmixbench.record import Counters, Density, Draws, Failure, Fit, Job, Run, Timing
from gmixbench.spec import MODELS, AdviSettings, Case, NutsSettings, Prior

rng = np.random.default_rng(0)

NUTS = Case("close", MODELS["ordered"], "pymc", "nuts", seed=3)
SAMPLED = replace(NUTS, likelihood="discrete")
ADVI = Case("close", MODELS["unordered"], "numpyro", "advi-matched", AdviSettings())

DRAWS = Draws(
    means=rng.normal(size=(2, 5, 2)),
    energy=rng.normal(size=(2, 5)),
    diverging=rng.random((2, 5)) < 0.5,
    at_max_treedepth=np.zeros((2, 5), dtype=bool),
    gradients=rng.integers(1, 1023, (2, 5)),
)
FIT = Fit(rng.normal(size=7), rng.normal(size=2), np.diag(rng.random(2)), rng.normal(size=(4, 2)))
DENSITY = Density(rng.normal(size=(3, 2)), rng.normal(size=3), rng.normal(size=(3, 2)))

RUN = Run(
    case=NUTS,
    timing=Timing(import_s=0.1, sample_s=1 / 3, peak_memory=2**33),
    counters=Counters(gradients_sample=12345),
    density=DENSITY,
    result=DRAWS,
    environment={"python": "3.13.0", "cpu": "Größe µ"},
    shims=("one", "two"),
)


def same(one, other):
    """Whether two records hold the same values, of the same types, bit by bit."""
    if dataclasses.is_dataclass(one):
        names = [field.name for field in dataclasses.fields(one)]
        pairs = [(getattr(one, name), getattr(other, name)) for name in names]
        return type(one) is type(other) and all(same(*pair) for pair in pairs)
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and one.tobytes() == other.tobytes()
    return type(one) is type(other) and one == other


@pytest.fixture
def stem(tmp_path):
    write_record(tmp_path / "one", RUN)
    return tmp_path / "one"


RECORDS = {
    "all that a sampler may tell": RUN,
    "a sampler that tells nothing": replace(RUN, result=Draws(DRAWS.means)),
    "float32": replace(RUN, result=Draws(DRAWS.means.astype(np.float32))),
    "not a number": replace(RUN, result=Draws(np.full((1, 2, 2), np.nan))),
    "a fit": replace(RUN, case=ADVI, result=FIT, shims=()),
    "labels that were sampled": replace(RUN, case=SAMPLED, density=None),
    "a failure": Failure(NUTS, "crash", "the worker ended", "line\nline"),
}


@pytest.mark.parametrize("kept", RECORDS.values(), ids=RECORDS.keys())
def test_a_record_comes_back_as_it_was(kept, tmp_path):
    write_record(tmp_path / "x", kept)
    assert has_record(tmp_path / "x")
    assert same(read_record(tmp_path / "x"), kept)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.json", "x.npz"]


def test_a_job_comes_back_as_it_was(tmp_path):
    job = Job(NUTS, rng.normal(size=9), rng.normal(size=(4, 2)), DENSITY.points)
    write_job(tmp_path / "job", job)
    assert same(read_job(tmp_path / "job"), job)


def test_a_name_may_hold_dots(tmp_path):
    write_record(tmp_path / "v6.4.0", RUN)
    assert has_record(tmp_path / "v6.4.0")
    assert (tmp_path / "v6.4.0.json").exists()
    assert same(read_record(tmp_path / "v6.4.0"), RUN)


def test_no_pickle_is_read(tmp_path):
    path = tmp_path / "x.npy"
    write_array(path, np.arange(3.0))
    assert np.load(path, allow_pickle=False).tolist() == [0, 1, 2]
    with pytest.raises(ValueError, match="pickle"):
        write_array(path, np.array([object()]))


@pytest.mark.parametrize("case", [NUTS, ADVI])
def test_a_case_comes_back_as_it_was(case):
    assert case_from_dict(json.loads(json.dumps(case_to_dict(case)))) == case


def truncate(path):
    path.write_bytes(path.read_bytes()[:-20])


def empty(path):
    path.write_bytes(b"")


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


def remove(path):
    path.unlink()


def make_folder(path):
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("suffix", [".npz", ".json"])
@pytest.mark.parametrize("damage", [truncate, empty, flip, remove, make_folder])
def test_damage_is_told_in_one_line_that_names_the_file(damage, suffix, stem):
    path = Path(f"{stem}{suffix}")
    damage(path)
    with pytest.raises(DamagedRecordError) as caught:
        read_record(stem)
    message = str(caught.value)
    assert message.startswith(f"{path} is damaged: ")
    assert len(message.splitlines()) == 1
    assert message.count(str(path)) == 1


@pytest.mark.parametrize(
    "content", [b"[]", b"3", b"null", b"{}", b'{"schema": 2}', b'{"schema": 1}', b"\xff"]
)
def test_json_that_is_no_record_is_told(content, stem):
    Path(f"{stem}.json").write_bytes(content)
    with pytest.raises(DamagedRecordError, match=r"one\.json is damaged: "):
        read_record(stem)


@pytest.mark.parametrize("key", ["case", "timing", "counters", "environment", "result", "shims"])
def test_a_record_without_one_of_its_parts_is_told(key, stem):
    header, arrays = disk._read_pair(stem)
    del header[key]
    disk._write_pair(stem, header, arrays)
    with pytest.raises(DamagedRecordError, match=rf"one\.json is damaged: it has no '{key}'"):
        read_record(stem)


@pytest.mark.parametrize("value", ["text", {}, 3, None, []])
def test_a_part_that_makes_no_sense_is_told(value, stem):
    header, arrays = disk._read_pair(stem)
    disk._write_pair(stem, {**header, "case": {**header["case"], "model": value}}, arrays)
    with pytest.raises(DamagedRecordError, match=r"one\.json is damaged: "):
        read_record(stem)


def test_an_edited_speed_is_noticed(stem):
    path = Path(f"{stem}.json")
    text = path.read_text()
    assert text.count("0.3333333333333333") == 1
    path.write_text(text.replace("0.3333333333333333", "0.2333333333333333"))
    with pytest.raises(DamagedRecordError, match="digest"):
        read_record(stem)


OTHER_CASES = [
    replace(NUTS, dataset="separated"),
    replace(NUTS, model=MODELS["unordered"]),
    replace(NUTS, model=replace(MODELS["ordered"], sigma=2.0)),
    replace(NUTS, model=replace(MODELS["ordered"], prior=Prior(scale=5.0))),
    replace(NUTS, model=replace(MODELS["ordered"], prior=Prior(mean=5.0))),
    replace(NUTS, backend="numpyro"),
    replace(NUTS, method="advi-matched", settings=AdviSettings()),
    replace(NUTS, stack="pymc-5.28.5"),
    replace(NUTS, seed=4),
    replace(NUTS, likelihood="logsumexp"),
    *(
        replace(NUTS, settings=replace(NutsSettings(), **change))
        for change in (
            {"chains": 3},
            {"warmup": 1},
            {"draws": 1},
            {"target_accept": 0.8},
            {"max_treedepth": 9},
            {"starts": "one-mode"},
        )
    ),
    ADVI,
    replace(ADVI, method="advi-library"),
    *(
        replace(ADVI, settings=replace(AdviSettings(), **change))
        for change in (
            {"steps": 1},
            {"draws": 1},
            {"optimizer": "library"},
            {"learning_rate": 0.01},
            {"initial_scale": 1.0},
            {"family": "full-rank"},
        )
    ),
]


def test_every_field_of_a_case_is_in_its_key():
    cases = [NUTS, *OTHER_CASES]
    changed = {field.name for field in dataclasses.fields(NutsSettings)}
    changed |= {field.name for field in dataclasses.fields(AdviSettings)}
    assert len({case_key(case) for case in cases}) == len(cases) == 11 + 6 + 2 + 6
    assert len(changed) == 6 + 6 - 1, "a new setting wants its place in OTHER_CASES"


def test_a_key_stays_the_same():
    # Records are found by it: a change would lose all that were made before.
    assert case_key(NUTS) == "close-ordered-pymc-nuts-here-seed3-c9e93339"


def test_a_key_tells_a_likelihood_that_is_not_the_mixture():
    assert case_key(SAMPLED).startswith("close-ordered-pymc-nuts-discrete-here-seed3-")


def test_a_case_from_before_there_were_likelihoods_is_the_mixture():
    fields = case_to_dict(NUTS)
    del fields["likelihood"]
    assert case_from_dict(fields) == NUTS


def test_a_key_is_one_file_name():
    assert "/" not in case_key(replace(NUTS, dataset="a/b", stack="../c"))


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_files_are_as_open_as_the_user_wishes(mask, mode, tmp_path):
    before = os.umask(mask)
    try:
        write_bytes(tmp_path / "file", b"content")
    finally:
        os.umask(before)
    assert (tmp_path / "file").stat().st_mode & 0o777 == mode


def test_a_full_disk_leaves_the_old_file_and_says_where(tmp_path, monkeypatch):
    path = tmp_path / "file"
    write_bytes(path, b"old")

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left") as caught:
        write_bytes(path, b"new")
    assert caught.value.filename == str(path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_ctrl_c_while_writing_leaves_nothing(tmp_path, monkeypatch):
    def interrupt(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_bytes(tmp_path / "file", b"content")
    assert list(tmp_path.iterdir()) == []


WRITER = """
import os, signal, sys
from pathlib import Path
from gmixbench import disk
stem, place = Path(sys.argv[1]), sys.argv[2]
function = {"write": "fsync", "npz": "replace", "json": "replace"}[place]
real = getattr(os, function)
def die(*arguments):
    if place == "write" or str(arguments[1]).endswith(place):
        os.kill(os.getpid(), signal.SIGKILL)
    return real(*arguments)
old = disk.read_record(Path(sys.argv[3]))
setattr(os, function, die)
disk.write_record(stem, old)
"""


@pytest.mark.parametrize("place", ["write", "npz", "json"])
def test_a_writer_killed_in_the_middle_leaves_no_record(place, stem, tmp_path):
    new = tmp_path / "new"
    command = [sys.executable, "-c", WRITER, str(new), place, str(stem)]
    assert subprocess.run(command, check=False, timeout=60).returncode == -signal.SIGKILL
    assert not has_record(new)
    whole = {new.with_name(f"{new.name}.npz")}
    assert set(tmp_path.glob("new*")) <= whole
    write_record(new, RUN)
    assert same(read_record(new), RUN)


def test_a_moved_record_is_there_and_no_longer_here(stem, tmp_path):
    move_record(stem, tmp_path / "there" / "two")
    assert same(read_record(tmp_path / "there" / "two"), RUN)
    assert not list(tmp_path.glob("one.*"))
