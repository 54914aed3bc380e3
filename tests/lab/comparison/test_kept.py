from dataclasses import replace

import pytest

from gmixbench.lab.comparison import kept
from gmixbench.lab.stacks import read


@pytest.fixture(autouse=True)
def _own(own_caches):
    """No test may touch the real ones."""


@pytest.fixture
def answers(lock_file):
    """Maker of answers, and how often it was asked."""
    stack, asked = lock_file("numpyro", "0.1"), []

    def make():
        asked.append(1)
        return stack

    return make, asked


def test_a_question_is_asked_once(answers):
    make, asked = answers
    first = kept.once("what?", make)
    assert kept.once("what?", make) == first
    assert len(asked) == 1
    kept.once("what else?", make)
    assert len(asked) == 2


@pytest.mark.parametrize(
    "lose",
    [
        lambda path: path.unlink(),
        lambda path: path.write_text("cut short"),
        lambda path: next((path.parent / "asked").iterdir()).unlink(),
        lambda path: next((path.parent / "asked").iterdir()).write_text("../other"),
        lambda path: next((path.parent / "asked").iterdir()).write_bytes(b"\xff\xfe"),
    ],
    ids=["lock gone", "lock damaged", "answer gone", "answer strange", "answer no text"],
)
def test_an_answer_that_is_lost_is_made_again(answers, lose):
    make, asked = answers
    first = kept.once("what?", make)
    lose(kept.folder() / f"{first.name}.txt")
    assert kept.once("what?", make) == first
    assert len(asked) == 2


def test_a_lock_is_named_after_what_it_installs(lock_file):
    stack = kept.keep(lock_file("numpyro", "0.1+dev"))
    assert stack.name.startswith("numpyro-0.1+dev-")
    assert read(kept.folder() / f"{stack.name}.txt") == stack
    assert kept.keep(lock_file("numpyro", "0.1+dev", others={"jax": "1"})).name != stack.name
    assert kept.keep(lock_file("numpyro", "0.1+dev", python="3.9")).name != stack.name


def test_another_day_is_no_other_stack(lock_file):
    stack = lock_file("numpyro", "0.1")
    first = kept.keep(stack)
    assert kept.keep(replace(stack, cutoff="2026-09-09", released="2026-09-09")) == first
    assert first.cutoff == stack.cutoff


def test_its_command_makes_it_under_its_own_name(lock_file):
    stack = lock_file("numpyro", "0.1", name="it")
    kept_ = kept.keep(stack)
    assert kept_.made == f"gmixbench stacks lock {kept_.name} numpyro==0.1"
