"""PyMC compiled as C needs a compiler, and says so where PyTensor would go on in Python."""

import pytensor
import pytest

from gmixbench.measured.backends import load


def test_without_a_compiler_there_is_no_row(make_job):
    backend = load("pymc-c")
    with (
        pytensor.config.change_flags(cxx=""),
        pytest.raises(NotImplementedError, match=r"no C\+\+ compiler: install"),
    ):
        backend.build(make_job("pymc-c"))
