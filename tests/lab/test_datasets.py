"""A user's own data: what is read, and the one line that says what is wrong with a file."""

import numpy as np
import pytest

from gmixbench.lab import datasets
from gmixbench.lab.datasets import DataError, load, read

GOOD = {
    "numbers alone": "1\n-2.5\n+3e-1\n",
    "a heading": "height\n1\n-2.5\n0.3\n",
    "a heading of several words": "height of pupils, cm\n1\n-2.5\n0.3\n",
    "a quoted heading": '"x"\n1\n-2.5\n0.3\n',
    "no end of line at the end": "1\n-2.5\n0.3",
    "empty lines at the end": "1\n-2.5\n0.3\n\n  \n",
    "line ends of Windows": "x\r\n1\r\n-2.5\r\n0.3\r\n",
    "line ends of old Macs": "x\r1\r-2.5\r0.3\r",
    "a byte-order mark": "\ufeff1\n-2.5\n0.3\n",
    "a byte-order mark before the heading": "\ufeffx\r\n1\r\n-2.5\r\n0.3\r\n",
    "blanks around": " 1\n-2.5 \n\t0.3\t\n",
}


@pytest.mark.parametrize("text", GOOD.values(), ids=GOOD.keys())
def test_a_file_of_one_column_is_read(text, tmp_path):
    path = tmp_path / "mine.csv"
    path.write_bytes(text.encode())
    data = read(path)
    assert data.name == "mine"
    assert data.x.dtype == float
    assert data.x.tolist() == [1.0, -2.5, 0.3]


# Content, line that is named (none where the whole file is at fault), and words of the message.
BAD = {
    "text": ("1\nabc\n3\n", 2, "'abc' is not a number"),
    "text of two words": ("1\nabc def\n3\n", 2, "'abc def' is not a number"),
    "text after a heading": ("x\n1\nabc\n", 3, "'abc' is not a number"),
    "a second heading": ("x\ny\n1\n2\n", 2, "'y' is not a number"),
    "a mistyped number first": ("1.2.3\n1\n2\n", 1, "'1.2.3' is not a number"),
    "NaN": ("1\nNaN\n3\n", 2, "NaN is not finite"),
    "NaN first": ("nan\n1\n2\n", 1, "nan is not finite"),
    "infinity": ("1\n2\ninf\n", 3, "inf is not finite"),
    "minus infinity": ("x\n1\n-Infinity\n3\n", 3, "-Infinity is not finite"),
    "too large for a float": ("1\n1e999\n3\n", 2, "1e999 is not finite"),
    "an empty line in between": ("1\n\n3\n", 2, "the line is empty"),
    "two columns": ("1,2\n3,4\n", 1, "'1,2' is more than one column"),
    "two columns and a heading": ("a,b\n1,2\n3,4\n", 2, "'1,2' is more than one column"),
    "two columns by semicolons": ("1;2\n3;4\n", 1, "more than one column"),
    "two columns by tabs": ("1\t2\n3\t4\n", 1, "more than one column"),
    "two columns by blanks": ("1 2\n3 4\n", 1, "more than one column"),
    "two columns, one of text": ("name,x\na,1\nb,2\n", 2, "more than one column"),
    "a second column later": ("1\n2\n3,4\n", 3, "more than one column"),
    "a decimal comma": ("1,5\n2,5\n", 1, "decimal comma"),
    "nothing": ("", None, "0 observations"),
    "a heading alone": ("x\n", None, "0 observations"),
    "empty lines alone": ("\n\n", None, "0 observations"),
    "one row": ("1.5\n", None, "1 observations"),
    "one row and a heading": ("x\n1.5\n", None, "1 observations"),
}


@pytest.mark.parametrize(("text", "line", "words"), BAD.values(), ids=BAD.keys())
def test_a_bad_file_is_told_in_one_line(text, line, words, tmp_path):
    path = tmp_path / "bad.csv"
    path.write_text(text)
    with pytest.raises(DataError) as caught:
        read(path)
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    assert message.startswith(f"{path}, line {line}: " if line else f"{path}: ")
    assert words in message


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(DataError, match=r"none\.csv: No such file or directory; give a CSV"):
        read(tmp_path / "none.csv")


def test_a_folder_is_told(tmp_path):
    with pytest.raises(DataError, match="Is a directory; give a CSV"):
        read(tmp_path)


@pytest.mark.parametrize(
    "content",
    [bytes(range(256)), b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "x\n1\n2\n".encode("utf-16"), b"\0" * 99],
)
def test_a_binary_file_is_told(content, tmp_path):
    path = tmp_path / "binary.csv"
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        read(path)
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    assert message.startswith(str(path))
    assert message.isprintable()


def test_a_data_set_that_is_not_in_the_package_is_told():
    with pytest.raises(DataError, match="unknown dataset 'mine': choose from overlapping, close"):
        load("mine")


def test_the_line_is_named_however_far_down_it_is(tmp_path):
    path = tmp_path / "long.csv"
    path.write_text("x\n" + "1.5\n" * 100_000 + "oops\n")
    with pytest.raises(DataError, match="line 100002: 'oops' is not a number"):
        read(path)


def test_values_are_read_to_the_last_bit(tmp_path):
    x = np.random.default_rng(0).normal(size=1000)
    path = tmp_path / "x.csv"
    path.write_text("\n".join(map(repr, x.tolist())))
    np.testing.assert_array_equal(datasets.read(path).x, x)
