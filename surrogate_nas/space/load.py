"""Finds the definition of a search space, and hands it to the reader of its kind."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from surrogate_nas.definitions import find_definition, read_toml
from surrogate_nas.errors import SpaceError
from surrogate_nas.space.cell_definition import read_cell_space
from surrogate_nas.space.chain_definition import read_chain_space
from surrogate_nas.space.definition import Header, validated
from surrogate_nas.space.node_definition import read_node_space
from surrogate_nas.space.space import Space
from surrogate_nas.space.toml_lines import line_of

_KEY = re.compile(r"(?:unknown key ')?([\w.]+)(?:'|:| is missing)", re.ASCII)
_READERS: Mapping[str, Callable[[dict[str, Any], Path], Space]] = {
    "cell": read_cell_space,
    "nodes": read_node_space,
    "chain": read_chain_space,
}


def load_space(name: str) -> Space:
    """A search space by name (``nasbench201``) or by the path of a ``.toml`` file.

    Raises:
        SettingsError: If there is no such space or its file is not TOML.
        SpaceError: If the definition is malformed; the message names file, line and key.
    """
    path = find_definition("spaces", name)
    try:
        return _read(read_toml(path), path)
    except SpaceError as error:
        raise SpaceError(_with_line(str(error), path)) from None


def _with_line(message: str, path: Path) -> str:
    """The message with the line of the key that it begins with."""
    rest = message.removeprefix(f"{path}: ")
    key = _KEY.match(rest)
    line = line_of(path.read_text(encoding="utf-8-sig"), key[1]) if key and rest != message else None
    return message if line is None else f"{path}: line {line}: {rest}"


def _read(content: dict[str, Any], path: Path) -> Space:
    header = validated(Header, {key: content[key] for key in Header.model_fields if key in content}, path)
    if header.kind not in _READERS:
        raise SpaceError(f"{path}: kind: must be one of {', '.join(_READERS)} (got {header.kind!r})")
    return _READERS[header.kind](content, path)
