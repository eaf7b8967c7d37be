"""Finds facts that can be changed, or that hold more than plain values."""

import dataclasses
import types
import typing
from types import ModuleType

from surrogate_nas.report import facts

PLAIN = {int, float, str, bool, type(None)}


def leaves(kind: object) -> set[object]:
    """Returns the types that a type hint is made of."""
    arguments = [argument for argument in typing.get_args(kind) if argument is not ...]
    origin = typing.get_origin(kind)
    if origin is typing.Literal:
        return {type(argument) for argument in arguments}
    inner = set().union(*map(leaves, arguments)) if arguments else {kind}
    return inner if origin in (None, tuple, types.UnionType, typing.Union) else inner | {origin}


def not_plain(module: ModuleType) -> list[str]:
    """Returns the classes of a module that can be changed, and the fields that hold more than plain values and facts.

    Raises:
        AssertionError: If the module has no such class.
    """
    values = [kind for kind in vars(module).values() if isinstance(kind, type) and dataclasses.is_dataclass(kind)]
    classes = [kind for kind in values if kind.__module__ == module.__name__]
    assert classes
    found = [kind.__name__ for kind in classes if not kind.__dataclass_params__.frozen]  # type: ignore[attr-defined]
    for kind in classes:
        hints = typing.get_type_hints(kind)
        found += [f"{kind.__name__}.{name}" for name, hint in hints.items() if not all(map(_may_stand, leaves(hint)))]
    return found


def _may_stand(kind: object) -> bool:
    return kind in PLAIN or str(getattr(kind, "__module__", "")).startswith(f"{facts.__name__}.")
