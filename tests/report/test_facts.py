"""The facts are frozen, and nothing but plain values."""

import dataclasses
import typing

import pytest

from surrogate_nas.report import facts as module
from surrogate_nas.report.facts import StudyFacts

CLASSES = [kind for kind in vars(module).values() if dataclasses.is_dataclass(kind)]
PLAIN = {int, float, str, bool, type(None)}


def leaves(kind: object) -> set[object]:
    arguments = [argument for argument in typing.get_args(kind) if argument is not ...]
    if typing.get_origin(kind) is typing.Literal:
        return {type(argument) for argument in arguments}
    return set().union(*map(leaves, arguments)) if arguments else {kind}


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_every_field_is_plain(kind: type) -> None:
    assert kind.__dataclass_params__.frozen  # type: ignore[attr-defined]
    for name, hint in typing.get_type_hints(kind).items():
        assert leaves(hint) <= PLAIN | set(CLASSES), name


def test_a_study_can_be_compared_and_hashed(facts: StudyFacts) -> None:
    assert dataclasses.replace(facts) == facts
    assert hash(facts) == hash(dataclasses.replace(facts))
