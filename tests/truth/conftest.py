"""What holds for tests of the truth."""

from collections.abc import Iterator

import pytest

from gmixbench.truth import solve as solving

SOLVE = solving._solve
"""As it is, before tests/conftest.py has it remember."""


@pytest.fixture
def solved_anew() -> Iterator[None]:
    """Find an exact posterior each time that a test asks for it: some change how it is found."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(solving, "_solve", SOLVE)
        yield
