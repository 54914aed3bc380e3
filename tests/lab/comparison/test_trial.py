import pytest

from gmixbench.lab import building, uv
from gmixbench.lab.comparison import trial
from gmixbench.lab.stacks import StackError


def test_what_imports_has_no_fault(tiny_stack):
    stack = tiny_stack()
    assert trial.fault(stack, "numpyro") is None
    assert building.built(stack)


def test_what_does_not_import_is_told_in_one_line(tiny_stack):
    stack = tiny_stack(body="one = 1\nraise ImportError('no gaussian')\n")
    found = trial.fault(stack, "numpyro")
    assert found == "tiny: `import numpyro` fails: ImportError: no gaussian"


def test_what_never_comes_back_is_a_fault(tiny_stack, monkeypatch):
    monkeypatch.setattr(trial, "PATIENCE", 0.2)
    stack = tiny_stack(body="import time\ntime.sleep(60)\n")
    assert "takes longer than 0.2 s" in trial.fault(stack, "numpyro")


def test_what_can_not_be_built_is_a_fault_unless_it_is_the_machines(tiny_stack, monkeypatch):
    stack = tiny_stack()

    def build(*_, **__):
        raise error

    monkeypatch.setattr(building, "build", build)
    error = uv.UvError("tiny: needs a compiler", may_differ=True)
    assert trial.fault(stack, "numpyro") == "tiny: needs a compiler"
    error = uv.UvError("tiny: the disk is full")
    with pytest.raises(StackError, match="the disk is full"):
        trial.fault(stack, "numpyro")


def test_what_can_not_be_sampled_is_told_in_one_line(
    tiny_stack, planted_python, plant, monkeypatch, make_case, exact
):
    monkeypatch.setattr(building, "build", lambda *_, **__: planted_python)
    good, bad = (
        plant("good"),
        plant("bad", "def sample(model, job):\n    raise ValueError('no\\nway')\n"),
    )
    cases = [make_case(good), make_case(bad)]
    assert trial.unsampled(tiny_stack(), cases[:1], exact, timeout=60.0) is None
    found = trial.unsampled(tiny_stack(), cases, exact, timeout=60.0)
    assert found == "tiny: ordered nuts: exception: ValueError: no way"
