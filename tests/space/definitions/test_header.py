"""Mistakes in definitions are reported; ``test_load`` has the ones of whole files."""

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from surrogate_nas.errors import SpaceError
from surrogate_nas.space.definitions.header import STRICT, validated


class Part(BaseModel):
    model_config = STRICT
    width: int


class Whole(BaseModel):
    model_config = STRICT
    parts: list[Part]
    lid: Part | None = None
    names: dict[str, list[str]] = {}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"parts": [{"width": 1}, {"wdth": 2}]}, "unknown key 'parts.1.wdth'; the keys there are width"),
        ({"parts": [], "lid": {"w": 1}}, "unknown key 'lid.w'; the keys there are width"),
        ({"parts": [{"width": "x" * 99}]}, f"parts.0.width: input should be a valid integer (got '{'x' * 59}...)"),
        ({"parts": [{}]}, "parts.0.width is missing; add it, the keys there are width"),
        ({"lid": {"width": 1}}, "parts is missing; add it, the keys there are parts, lid, names"),
        ({"parts": [], "names": {"before.1": [[1]]}}, "names.before.1.0: input should be a valid string (got [1])"),
        ({"parts": [1]}, "parts.0: input should be a table (got 1)"),
    ],
)
def test_the_key_is_named_in_lists_of_tables_too(content: dict[str, object], message: str) -> None:
    with pytest.raises(SpaceError, match=re.escape(f"file.toml: {message}")):
        validated(Whole, content, Path("file.toml"))
