"""Hostile values are drawn from the seed alone, and differ from what is good."""

import json
import random
import tomllib
from collections.abc import Callable

import pytest

from benchmarks.breaking.hostile import (
    Draw,
    changed_bytes,
    changed_csv,
    changed_json,
    changed_lines,
    changed_toml,
    text,
)

GOOD: dict[Callable[[Draw, bytes], bytes], bytes] = {
    changed_json: b'{"name": "x", "sizes": [1, 2, 3], "inner": {"a": 0.5, "b": null}}',
    changed_lines: b'{"op_code": 4, "trial": 1}\n{"op_code": 5}\n',
    changed_toml: b'space = "quick"\n[data]\nsource = "digits"\nmax_images = 400\n',
    changed_csv: b"code,accuracy\n0000,91.5\n0001,92.5\n",
    changed_bytes: bytes(range(200)),
}


@pytest.mark.parametrize("change", GOOD, ids=lambda change: change.__name__)
def test_changes_follow_from_the_seed_and_hardly_any_is_none(change: Callable[[Draw, bytes], bytes]) -> None:
    good = GOOD[change]
    made = [change(random.Random(seed), good) for seed in range(200)]
    assert made == [change(random.Random(seed), good) for seed in range(200)]
    assert sum(one != good for one in made) > 180
    assert len(set(made)) > 100


def test_json_is_mostly_readable_and_sometimes_not() -> None:
    def is_readable(data: bytes) -> bool:
        try:
            json.loads(data)
        except (ValueError, RecursionError):
            return False
        return True

    readable = [is_readable(changed_json(random.Random(seed), GOOD[changed_json])) for seed in range(200)]
    assert 100 < sum(readable) < 200


def test_a_part_of_the_toml_can_be_read_with_another_value() -> None:
    readable = 0
    for seed in range(200):
        made = changed_toml(random.Random(seed), GOOD[changed_toml])
        try:
            # The parser takes time in the square of a key's parts.
            readable += len(made) < 10_000 and tomllib.loads(made.decode()) != {}
        except (ValueError, RecursionError):
            continue
    assert readable > 50


def test_texts_steer_terminals_and_leave_folders() -> None:
    made = {text(random.Random(seed)) for seed in range(500)}
    assert any("\x1b" in one for one in made)
    assert any(one.startswith("../") for one in made)
