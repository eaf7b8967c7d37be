"""One thing is one thing."""

import pytest

from surrogate_nas._support.words import choose_from, count_of, first_line, one_line, shown, some_of


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


def test_few_names_are_all_listed() -> None:
    assert choose_from(["a", "b"], "c") == "choose from a, b"


def test_of_many_names_the_nearest_come_first() -> None:
    names = [f"convolution_{row}" for row in range(50)] + ["skip_connect"]
    assert choose_from(names, "skip_conect", 30).startswith("choose from skip_connect, convolution_")
    assert choose_from(names, "skip_conect", 30).endswith("and 49 more")
    assert choose_from(["x" * 500, "y" * 500], "z", 30) == f"choose from {'x' * 30} and 1 more"


def test_a_long_value_is_cut() -> None:
    assert shown("ab") == "'ab'"
    assert shown([1] * 100, 4) == "[1, ..."


def test_of_many_names_the_first_ones_are_named() -> None:
    assert some_of([]) == ""
    assert some_of(["a", "b"]) == "a, b"
    assert some_of(["a"] * 9, 7) == "a, a, a and 6 more"
    assert some_of(["x" * 500], 30) == "x" * 30
