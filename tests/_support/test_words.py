"""One thing is one thing."""

import pytest

from surrogate_nas._support.words import count_of, first_line, one_line


@pytest.mark.parametrize(
    ("number", "noun", "expected"),
    [
        (0, ("image",), "0 images"),
        (1, ("image",), "1 image"),
        (1, ("class", "classes"), "1 class"),
        (2, ("class", "classes"), "2 classes"),
        (1200, ("image",), "1,200 images"),
    ],
)
def test_numbers_and_nouns_agree(number: int, noun: tuple[str, ...], expected: str) -> None:
    assert count_of(number, *noun) == expected


def test_an_error_of_others_is_its_first_line() -> None:
    assert first_line(RuntimeError("\n no\nway")) == "no"
    assert first_line(RuntimeError()) == "RuntimeError"
    assert first_line(RuntimeError("abcdef"), 3) == "abc"


def test_an_error_of_many_lines_is_one_of_few_letters() -> None:
    assert one_line(ValueError("a\n  b\tc")) == "a b c"
    assert one_line(ValueError()) == "ValueError"
    assert one_line(ValueError("x" * 10), 4) == "xxxx..."
