"""Finds the definition of a search space, runs its program where it may be, and hands it to the reader of its kind."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from surrogate_nas._support.definitions import find_definition, read_toml
from surrogate_nas._support.words import shown
from surrogate_nas.errors import ProgramError, SpaceError
from surrogate_nas.space.definitions.header import Header, validated
from surrogate_nas.space.definitions.toml_lines import line_of
from surrogate_nas.space.kinds.cell.definition import read_cell_space
from surrogate_nas.space.kinds.chain.cuts import named_cuts
from surrogate_nas.space.kinds.chain.definition import read_chain_space
from surrogate_nas.space.kinds.chain.elastic import ElasticSpace
from surrogate_nas.space.kinds.nodes.definition import read_node_space
from surrogate_nas.space.operations.program import Program
from surrogate_nas.space.operations.registry import only_of
from surrogate_nas.space.space import Codes, Space

STORED_DEFINITION, STORED_PROGRAM = "space.toml", "space.py"
"""How a run folder or a model keeps a space and its program."""

_KEY = re.compile(r"(?:unknown key ')?([\w.]+)(?:'|:| is missing)", re.ASCII)
_READERS: Mapping[str, Callable[[dict[str, Any], Path, Program | None], Space]] = {
    "cell": read_cell_space,
    "nodes": read_node_space,
    "chain": read_chain_space,
}


def load_space(name: str, *, named_by_user: bool = True) -> Space:
    """Returns a search space by name (``nasbench201``) or by the path of a ``.toml`` file.

    Args:
        name: Name or path.
        named_by_user: Whether the user gave the name. A space with a program of its own runs it then, and it is
            remembered; otherwise only a program that was run before is run.

    Raises:
        SettingsError: If there is no such space or its file is not TOML.
        SpaceError: If the definition is malformed; the message names file, line and key.
        ProgramError: If the space's program fails or may not be run; likewise.

    Example:
        >>> from surrogate_nas import load_space
        >>> space = load_space("nasbench201")
        >>> space.size, space.num_decisions
        (15625, 6)
    """
    path = find_definition("spaces", name)
    remedy = None if named_by_user else f"read it, and if you trust it name the space yourself: --set space={path}"
    return _load(path, lambda file: Program.read(path.parent / file), remedy)


def program_of(name: str) -> Program | None:
    """Returns the program of a space by name or path, which is not run; None where there is none that can be read.

    Raises:
        SettingsError: If there is no such space or its file is not TOML.
    """
    path = find_definition("spaces", name)
    file = read_toml(path).get("program")
    try:
        return Program.read(path.parent / file) if isinstance(file, str) else None
    except ProgramError:
        return None


def load_stored_space(folder: Path, remedy: str | None) -> Space:
    """Returns the space of a run folder or a model, which may be somebody else's.

    Args:
        folder: Holds ``space.toml``, and ``space.py`` where the space has a program.
        remedy: What to do about a program that was never run on this machine, as it ends the message; None where
            the user wants it to be run.

    Raises:
        SettingsError, SpaceError: As ``load_space``.
    """
    return _load(folder / STORED_DEFINITION, lambda _file: Program.read(folder / STORED_PROGRAM), remedy)


def _load(path: Path, find: Callable[[str], Program], remedy: str | None) -> Space:
    try:
        content = read_toml(path)
        header = validated(Header, {key: content[key] for key in Header.model_fields if key in content}, path)
        if header.kind not in _READERS:
            raise SpaceError(f"{path}: kind: must be one of {', '.join(_READERS)} (got {shown(header.kind)})")
        program = None if header.program is None else _run(header.program, find, remedy, path)
        with only_of(program.digest if program else None):
            space = _READERS[header.kind](content, path, program)
            if program is not None:
                _check_operations(space, path)
            space.known = _known(header, space, path)
            return space
    except SpaceError as error:
        raise type(error)(_with_line(str(error), path)) from None


def _run(file: str, find: Callable[[str], Program], remedy: str | None, path: Path) -> Program:
    try:
        program = find(file)
        if remedy is not None and not program.is_trusted:
            raise ProgramError(
                f"{program.path} is a program that was never run on this machine for a space of yours; {remedy}"
            )
        program.run()
    except ProgramError as error:
        raise ProgramError(f"{path}: program: {error}") from None
    program.trust()
    return program


def _check_operations(space: Space, path: Path) -> None:
    """Refuses operations of a user that do not fit their places."""
    try:
        space.parameters(np.zeros((1, space.num_decisions), dtype=np.int8), space.network)
    except SpaceError as error:
        raise SpaceError(f"{path}: operations: {error}") from None


def _known(header: Header, space: Space, path: Path) -> dict[str, Codes]:
    """Returns effective codes, shape (D,), of the architectures that have a name: cuts of a known network do."""
    known = named_cuts(space) if isinstance(space, ElasticSpace) and space.part_names else {}
    for position, one in enumerate(header.known):
        where = f"{path}: known.{position}"
        try:
            code = space.effective(space.parse(one.architecture)[None])
        except SpaceError as error:
            raise SpaceError(f"{where}.architecture: {error}") from None
        if not space.is_connected(code)[0]:
            raise SpaceError(f"{where}.architecture: {shown(one.architecture)} does not lead from input to output")
        if one.name in known:
            raise SpaceError(f"{where}.name: {shown(one.name)} appears twice")
        known[one.name] = code[0]
    return known


def _with_line(message: str, path: Path) -> str:
    """Returns the message with the line of the key that it begins with."""
    rest = message.removeprefix(f"{path}: ")
    key = _KEY.match(rest)
    line = line_of(path.read_text(encoding="utf-8-sig"), key[1]) if key and rest != message else None
    return message if line is None else f"{path}: line {line}: {rest}"
