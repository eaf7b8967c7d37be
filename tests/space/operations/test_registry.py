"""The registry of operations that users wrote."""

import re

import pytest

from surrogate_nas.errors import SpaceError
from surrogate_nas.space.operations.registry import (
    find_own,
    forget_all,
    is_registered,
    only_of,
    others_in_words,
    own_names,
    register,
    registering,
    running_program,
)
from surrogate_nas.space.operations.spec import OperationSpec, nothing


def spec_of(name: str) -> OperationSpec:
    return OperationSpec(name, 1, nothing, nothing, nothing)


pytestmark = pytest.mark.usefixtures("own_cache")


def build(*_: object) -> None:
    """Builds nothing: these tests never call it."""


def registered(digest: str, *names: str) -> None:
    with registering("mine.py", digest):
        for name in names:
            register(spec_of(name), build)


def test_what_a_program_registers_is_found_by_name() -> None:
    registered("d", "one", "two_k3")
    own = find_own("two_k3")
    assert own is not None
    assert (own.spec, own.build, own.program, own.digest) == (spec_of("two_k3"), build, "mine.py", "d")
    assert (is_registered("d"), is_registered("e")) == (True, False)
    assert own_names() == ("one", "two_k3")
    assert others_in_words() == "; the space's program has one, two_k3"
    forget_all()
    assert find_own("one") is None
    assert "needs the key 'program'" in others_in_words()


def test_outside_of_a_program_nothing_is_registered() -> None:
    register(spec_of("one"), build)
    assert (find_own("one"), running_program()) == (None, None)
    with registering("mine.py", "d"):
        assert running_program() == "mine.py"
        register(spec_of("one"), build)
    assert running_program() is None


def test_a_definition_sees_no_other_programs_operations() -> None:
    registered("d", "one")
    registered("e", "two")
    with only_of("e"):
        assert own_names() == ("two",)
    with only_of(None):
        assert own_names() == ()
    assert own_names() == ("one", "two")


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ((), "it registers no operation; write @operation(...) above what builds one"),
        (("one", "one"), "the operation 'one' is registered twice; give one of them another name"),
        (("One",), "an operation has small letters, digits and '_', a letter first (got 'One')"),
        (("a|b",), "(got 'a|b')"),
        (("there",), "this process already has another operation 'there', of mine.py; restart Python"),
    ],
)
def test_a_program_that_registers_wrongly_registers_nothing(names: tuple[str, ...], message: str) -> None:
    registered("before", "there")
    with pytest.raises(SpaceError, match=re.escape(message)):
        registered("d", "new", *names) if names else registered("d")
    assert own_names() == ("there",)


def test_the_same_content_may_come_twice() -> None:
    registered("d", "one")
    registered("d", "one")
    assert own_names() == ("one",)
