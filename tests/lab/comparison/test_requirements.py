import pytest

from gmixbench.lab.comparison.requirements import Requirement, parse
from gmixbench.lab.stacks import StackError

PYMC = Requirement("pymc==6.3.2", "pymc", "6.3.2")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("pymc==6.3.2", [PYMC]),
        ("pymc@6.3.2", [PYMC]),
        ("PyMC == 6.3.2", [PYMC]),
        ("pymc==6.4.0rc1", [Requirement("pymc==6.4.0rc1", "pymc", "6.4.0rc1")]),
        ("pymc", [Requirement("pymc")]),
        ("pymc>=6,<7", [Requirement("pymc>=6,<7")]),
        ("pymc >= 6, < 7", [Requirement("pymc >= 6, < 7")]),
        ("pymc==6.3.2,!=6.3.1", [Requirement("pymc==6.3.2,!=6.3.1")]),
        ("pymc==6.*", [Requirement("pymc==6.*")]),
        ("pymc~=6.3", [Requirement("pymc~=6.3")]),
        ("pymc[dev, docs]>=6", [Requirement("pymc[dev, docs]>=6")]),
        ("git+https://x.org/a/pymc@v6", [Requirement("git+https://x.org/a/pymc@v6")]),
        ("git+ssh://git@x.org/a/b@v6", [Requirement("git+ssh://git@x.org/a/b@v6")]),
        ("PyMC @ git+https://x.org/a@v6", [Requirement("git+https://x.org/a@v6", "pymc")]),
        ("pymc@git+https://x.org/a@v6", [Requirement("git+https://x.org/a@v6", "pymc")]),
        ("./numpyro", [Requirement("./numpyro")]),
        ("numpyro/", [Requirement("numpyro/")]),
        ("a@1/numpyro", [Requirement("a@1/numpyro")]),
        ("numpyro-0.1-py3-none-any.whl", [Requirement("numpyro-0.1-py3-none-any.whl")]),
        ("dist/numpyro-0.1-py3-none-any.whl", [Requirement("dist/numpyro-0.1-py3-none-any.whl")]),
    ],
)
def test_one(text, found):
    assert [*parse(text)] == found


@pytest.mark.parametrize("gap", [" ", ",", ", ", " , ", "  "])
def test_several(gap):
    texts = ["pymc==6.3.2", "numpy>=2,<3", "./numpyro", "git+https://x.org/a@v1", "jax"]
    assert [each.text for each in parse(gap.join(texts))] == texts


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it names nothing"),
        (" , ", "it names nothing"),
        ("pymc=6", "'pymc=6' is no requirement"),
        ("pymc==6.3.2 !!", "'!!' is no requirement"),
        ("pymc==", "'pymc==' is no requirement"),
        ("==6", "'==6' is no requirement"),
        ("pymc==6; python_version<'3'", "is no requirement"),
        ("pymc @ https://x.org/pymc.zip", "is no requirement"),
    ],
)
def test_none(text, said):
    with pytest.raises(StackError, match=said) as caught:
        parse(text)
    assert "\n" not in str(caught.value)
