"""Operations that users wrote: what their programs registered in this process, found by name as built-in ones are.

The registry is of the process, since an operation is looked up by its name wherever networks are built or counted. So
one process knows one version of an operation; a second one is refused rather than mixed up with the first.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from surrogate_nas.errors import SpaceError
from surrogate_nas.space.operations.spec import OperationSpec

Builder = Callable[[int, int, int, Callable[[int], Any]], Any]
"""Channels in and out, stride, and what builds a normalisation, to a module."""
_NAME = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)
_NAMED = 5  # operations in a message


@dataclass(frozen=True)
class OwnOperation:
    """An operation that a user wrote.

    Attributes:
        spec: The operation without its weights, by the name that the space's ``operations`` call it.
        build: Builds it.
        program: Path of the file that it is from.
        digest: Of the file's content.
    """

    spec: OperationSpec
    build: Builder
    program: str
    digest: str

    @property
    def name(self) -> str:
        """Its name."""
        return self.spec.name


@dataclass
class _Running:
    """A program that is running, and what it has registered so far."""

    program: str
    digest: str
    found: dict[str, OwnOperation] = field(default_factory=dict)


_known: dict[str, OwnOperation] = {}
_running: _Running | None = None
_seen: list[str | None] = []  # digest of the program whose operations alone are seen, while a definition is read


def running_program() -> str | None:
    """Returns the path of the program that is being run; None where operations are declared outside of one."""
    return _running.program if _running else None


def register(spec: OperationSpec, build: Builder) -> None:
    """Registers an operation of the program that is being run.

    Raises:
        SpaceError: If the name is not one, or the program or another one of this process has an operation of that name.
    """
    if _running is None:
        return  # a program that is imported by its own tests
    name = spec.name
    if not _NAME.fullmatch(name):
        raise SpaceError(f"the name of an operation has small letters, digits and '_', a letter first (got {name!r})")
    if name in _running.found:
        raise SpaceError(f"the operation {name!r} is registered twice; give one of them another name")
    before = _known.get(name)
    if before is not None and before.digest != _running.digest:
        raise SpaceError(
            f"this process already has another operation {name!r}, of {before.program}; restart Python, or give one of"
            " them another name"
        )
    _running.found[name] = OwnOperation(spec, build, _running.program, _running.digest)


@contextmanager
def registering(program: str, digest: str) -> Iterator[None]:
    """Takes what is registered in the block as operations of a program, all of it or, after an error, nothing.

    Raises:
        SpaceError: If nothing is registered.
    """
    global _running
    before, _running = _running, _Running(program, digest)
    try:
        yield
        if not _running.found:
            raise SpaceError("it registers no operation; write @operation(...) above what builds one")
        _known.update(_running.found)
    finally:
        _running = before


def is_registered(digest: str) -> bool:
    """Returns whether a program of this content has run in this process."""
    return any(one.digest == digest for one in _known.values())


@contextmanager
def only_of(digest: str | None) -> Iterator[None]:
    """Finds only the operations of one program within the block: a definition may not use another's."""
    _seen.append(digest)
    try:
        yield
    finally:
        _seen.pop()


def find_own(name: str) -> OwnOperation | None:
    """Returns the operation of a user with this name, if there is one."""
    own = _known.get(name)
    return None if own is None or (_seen and own.digest != _seen[-1]) else own


def own_names() -> tuple[str, ...]:
    """Returns names of the operations that ``find_own`` finds."""
    return tuple(name for name in _known if find_own(name))


def others_in_words() -> str:
    """Returns the end of a message about an unknown name, behind the built-in ones."""
    names = own_names()
    return (
        f"; the space's program has {', '.join(names[:_NAMED])}{' and others' if len(names) > _NAMED else ''}"
        if names
        else "; one of your own needs the key 'program' (docs/reference/search-spaces.md)"
    )


def forget_all() -> None:
    """Forgets every program, for tests."""
    _known.clear()
