"""Codes written as digits; ``test_space`` has them in a whole space."""

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from surrogate_nas.errors import SpaceError
from surrogate_nas.space.codes import DIGITS, Decision, read_digits, texts_of
from surrogate_nas.space.load import load_space

DECISIONS = (Decision("1.1", ("a", "b")), Decision("1.2", tuple(f"block {k}" for k in range(36))))


def test_a_character_stands_for_a_choice() -> None:
    assert [read_digits(f"1{digit}", "s", DECISIONS) for digit in DIGITS] == [[1, k] for k in range(36)]


def test_a_character_beyond_the_choices_is_named() -> None:
    message = "decision 1.1 of s has choices 0 to 1 (got '2' in '20')"
    with pytest.raises(SpaceError, match=re.escape(message)):
        read_digits("20", "s", DECISIONS)


@pytest.mark.parametrize("name", ["quick", "nasbench201", "images32", "darts"])
def test_texts_of_many_are_those_of_each(name: str) -> None:
    space = load_space(name)
    for count in (3, 300):
        codes = space.sample(count, np.random.default_rng(count))
        assert space.texts(codes) == [space.format(code) for code in codes]


def test_a_text_without_a_place_per_decision_is_asked_for_code_by_code() -> None:
    def written(code: NDArray[np.integer]) -> str:
        return f"{code[0]} and {code[1]}"[:: -1 if code[0] else 1]

    codes = np.array([[k % 2, k % 36] for k in range(300)])
    assert texts_of(codes, DECISIONS, written) == [written(code) for code in codes]


@pytest.mark.parametrize("layers", [7, 15])
def test_a_name_may_begin_another(tmp_path: Path, layers: int) -> None:
    blocks = '["mbconv_k3_e3_se", "mbconv_k3_e3"]'
    stage = "[[stages]]\nlayers = {}\nwidth = 8\n"
    text = f'name = "x"\nkind = "chain"\noperations = {blocks}\n'
    path = tmp_path / "x.toml"
    path.write_text(text + stage.format(4) + stage.format(layers - 4) + "[network]\nimage_size = 16\n")
    space = load_space(str(path))
    codes = space.all_codes()
    assert space.texts(codes) == [space.format(code) for code in codes]


@given(st.lists(st.lists(st.text("ab", max_size=3), min_size=1, max_size=3, unique=True), min_size=1, max_size=4))
def test_texts_of_any_names_are_those_of_each(names: list[list[str]]) -> None:
    decisions = [Decision(str(place), tuple(some)) for place, some in enumerate(names)]

    def written(code: NDArray[np.integer]) -> str:
        return "".join(some[choice] for some, choice in zip(names, code, strict=True))

    codes = np.stack([np.random.default_rng(0).integers(0, len(some), 120) for some in names], axis=1)
    assert texts_of(codes, decisions, written) == [written(code) for code in codes]
