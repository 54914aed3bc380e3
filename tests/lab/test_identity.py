"""A machine is told from others of its kind, and nothing else is told of it."""

import hashlib
import uuid

import pytest

from gmixbench.lab import environment, identity

MACHINES = "7d5c2a9b0e4f4c7f8f3f2a1b0c9d8e7f", "00112233445566778899aabbccddeeff"
BOOTS = "0f59ca1b-3c2d-4e5f-8a9b-0c1d2e3f4a5b", "c0ffee00-3c2d-4e5f-8a9b-0c1d2e3f4a5b"
REAL, MADE_UP = 0x001A2B3C4D5E, 0x011A2B3C4D5E
"""Hardware addresses: a manufacturer's, and one with the bit that Python sets."""


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Make this a machine with these files; gives its identity."""
    for name in identity.HIRED:
        monkeypatch.delenv(name, raising=False)

    def be(machine=None, boot=BOOTS[0], address=MADE_UP, *, container=False):
        files = {"MACHINE_ID": machine, "BOOT_ID": boot}
        for name, text in files.items():
            path = tmp_path / name
            path.unlink(missing_ok=True)
            if text is not None:
                path.write_text(f"{text}\n")
            monkeypatch.setattr(identity, name, path)
        marker = tmp_path / "MACHINE_ID" if container else tmp_path / "nowhere"
        monkeypatch.setattr(identity, "CONTAINERS", (marker,))
        monkeypatch.setattr(uuid, "getnode", lambda: address)
        return identity.identity()

    return be


def test_it_is_the_same_from_day_to_day_and_another_on_another_machine(here):
    assert here(MACHINES[0], BOOTS[0]) == here(MACHINES[0], BOOTS[1])
    assert here(MACHINES[0]) != here(MACHINES[1])


def test_containers_of_one_image_are_as_many_machines_as_they_run_on(here):
    assert here(MACHINES[0], BOOTS[0], container=True) != here(
        MACHINES[0], BOOTS[1], container=True
    )
    assert here(MACHINES[0], BOOTS[0], container=True) == here(
        MACHINES[1], BOOTS[0], container=True
    )


@pytest.mark.parametrize("name", identity.HIRED)
def test_so_are_machines_hired_for_a_job(here, monkeypatch, name):
    own = here(MACHINES[0])
    monkeypatch.setenv(name, "true")
    assert len({own, *(here(MACHINES[0], boot) for boot in BOOTS)}) == 3


@pytest.mark.parametrize("machine", [None, "uninitialized", "", "ä" * 32])
def test_without_a_number_it_is_the_hardware_and_without_that_unknown(here, machine):
    assert here(machine, address=REAL) is not None
    assert here(machine, address=MADE_UP) is None
    assert "machine_id" not in environment.describe()


def test_it_does_not_tell_what_it_was_made_of(here):
    told = here(MACHINES[0])
    assert environment.describe()["machine_id"] == told
    assert told not in MACHINES[0]
    assert told not in hashlib.sha256(MACHINES[0].encode()).hexdigest()
