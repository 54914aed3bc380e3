"""How uv is called, and its words when it fails in one line that helps."""

import pytest

from gmixbench.lab import uv


def test_a_day_is_included_to_its_end():
    assert uv.dates("2024-08-05", {"jax": "2024-12-31"}) == [
        *("--exclude-newer", "2024-08-06T00:00:00Z"),
        *("--exclude-newer-package", "jax=2025-01-01T00:00:00Z"),
    ]


@pytest.fixture
def stub(tmp_path, monkeypatch, script):
    """Put a program of one shell line in uv's place."""

    def put(body):
        monkeypatch.setattr(uv, "find", lambda: script(tmp_path / "uv", body))

    return put


def test_its_caller_s_settings_have_no_say(stub, monkeypatch):
    for name in uv._FOREIGN:
        monkeypatch.setenv(name, "planted")
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://index.example.org")
    stub("env")
    lines = uv.run([], what="tiny").splitlines()
    assert not [line for line in lines if line.endswith("=planted")]
    assert "UV_DEFAULT_INDEX=http://index.example.org" in lines  # where packages are fetched from
    assert {"UV_PYTHON_DOWNLOADS=never", "SOURCE_DATE_EPOCH=315532800"} <= set(lines)


def test_a_yanked_release_is_told_and_nothing_else(stub):
    said = []
    stub("echo 'warning: `a==1` is yanked' >&2; echo 'warning: other' >&2; echo out")
    assert uv.run([], what="tiny", say=said.append) == "out\n"
    assert said == ["tiny: `a==1` is yanked"]


@pytest.mark.parametrize(
    ("words", "said", "may_differ"),
    [
        (
            "error: failed to write: No space left on device (os error 28)",
            "the disk is full",
            False,
        ),
        ("error sending request for url", "a package could not be fetched: check the net", False),
        ("× Hash mismatch for `six==1.16.0`", "the file of six==1.16.0 does not have", True),
        (
            "× No solution found:\n╰─▶ Because jax==9 hint: `jax` was filtered by `exclude-newer`",
            "no release of jax that would do had come out by the cut-off",
            True,
        ),
        ("╰─▶ Because there is no version of six==9 and", "no index has six==9: the release", True),
        ("Because pymc9 was not found in the package registry", "no index has pymc9: the", True),
        ("× Failed to build `theano==1.0`", "theano==1.0 could not be built from source", True),
        ("error: something new", "something new", True),
    ],
)
def test_why_it_failed_in_one_line(stub, words, said, may_differ):
    stub(f"cat >&2 <<'END'\n{words}\nEND\nexit 2")
    with pytest.raises(uv.UvError) as caught:
        uv.run([], what="tiny")
    assert str(caught.value).startswith(f"tiny: {said}")
    assert "\n" not in str(caught.value)
    assert caught.value.may_differ is may_differ


def test_of_many_words_the_last_are_told(stub):
    stub("printf '%0999d\\nthe end\\n' 0 >&2; exit 2")
    with pytest.raises(uv.UvError, match=r"^tiny: \.\.\. 0+ the end$") as caught:
        uv.run([], what="tiny")
    assert len(str(caught.value)) < 320
