"""Votes of a search by gradients, to a file and back."""

import re
from pathlib import Path

import numpy as np
import pytest

from benchmarks.learned_votes import read_votes, write_votes
from surrogate_nas.errors import SettingsError
from surrogate_nas.space.class_table import ClassTable
from surrogate_nas.space.load import load_space


def test_votes_come_back_as_they_were(tmp_path: Path) -> None:
    space = load_space("nasbench201")
    codes = np.unique(space.canonical(space.sample(50, np.random.default_rng(0))), axis=0)
    votes = ClassTable(space, ("learned",), codes, np.random.default_rng(1).normal(size=(len(codes), 1)))
    write_votes(tmp_path / "new" / "snas-1.csv", votes)
    found = read_votes(tmp_path / "new" / "snas-1.csv", space)
    assert found.names == votes.names
    np.testing.assert_array_equal(found.codes, votes.codes)
    np.testing.assert_array_equal(found.values, votes.values)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("code,learned\n", "votes are rows of two columns, code and the name of the vote"),
        ("code,a,b\n0000,1,2\n", "votes are rows of two columns"),
        ("code,learned\n123,nan\n", "a vote is not finite"),
        ("code,learned\n123,high\n", "could not convert"),
        ("code,learned\n12345678,1\n", "12345678"),
    ],
)
def test_another_file_is_refused(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "votes.csv"
    path.write_text(text)
    with pytest.raises(SettingsError, match=re.escape(message)):
        read_votes(path, load_space("quick"))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"votes cannot be read: .*none\.csv"):
        read_votes(tmp_path / "none.csv", load_space("quick"))
