"""The family of errors: one root, an exit code each, and a built-in that fits."""

import ast
import inspect
from pathlib import Path

import pytest

from surrogate_nas import errors
from surrogate_nas.errors import (
    SettingsError,
    SpaceError,
    StoreError,
    SurrogateNasError,
    SurrogateNasWarning,
    WriteError,
)
from surrogate_nas.space.load import load_space

ERRORS = [
    value
    for value in vars(errors).values()
    if inspect.isclass(value) and value.__module__ == errors.__name__ and not issubclass(value, Warning)
]


@pytest.mark.parametrize("kind", ERRORS)
def test_every_error_has_the_root_a_docstring_and_a_known_exit_code(kind: type[SurrogateNasError]) -> None:
    assert issubclass(kind, SurrogateNasError)
    assert kind.__doc__
    assert kind.exit_code in {1, 2, 3, 130}
    assert str(kind("what is wrong")) == "what is wrong"


def test_wrong_settings_are_usage_and_damaged_files_are_failures() -> None:
    assert SettingsError.exit_code == 2
    assert all(kind.exit_code == 2 for kind in ERRORS if issubclass(kind, SettingsError))
    assert StoreError.exit_code == WriteError.exit_code == SurrogateNasError.exit_code == 1


def test_the_outcomes_of_their_own() -> None:
    assert errors.InfeasibleBudgetError.exit_code == 3
    assert errors.Interrupted.exit_code == 130


def test_errors_are_caught_by_who_knows_only_the_built_in_ones() -> None:
    assert issubclass(SettingsError, ValueError)
    assert issubclass(WriteError, OSError)
    assert issubclass(SurrogateNasWarning, UserWarning)


def is_narrowing(test: ast.expr) -> bool:
    """Returns whether a test only shows a type checker what must hold: not ``None``, or of a class."""
    if isinstance(test, ast.Call):
        return isinstance(test.func, ast.Name) and test.func.id == "isinstance"
    return isinstance(test, ast.Compare) and [type(one) for one in test.ops] == [ast.IsNot]


@pytest.mark.parametrize(("line", "narrows"), [("x is not None", True), ("isinstance(x, int)", True), ("x", False)])
def test_narrowing_is_told_from_checking(line: str, narrows: bool) -> None:
    assert is_narrowing(ast.parse(line, mode="eval").body) == narrows


def test_no_check_is_an_assertion_which_python_may_leave_out() -> None:
    package = Path(errors.__file__).parent
    found = [
        f"{path.relative_to(package)}:{node.lineno}"
        for path in sorted(package.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Assert) and not is_narrowing(node.test)
    ]
    assert found == []


@pytest.mark.parametrize("text", ["x" * 100_000, "0" * 100_000, "|a~0|+" * 20_000])
@pytest.mark.parametrize("name", ["quick", "nasbench201", "images32", "darts"])
def test_what_is_refused_is_not_repeated_in_full(name: str, text: str) -> None:
    with pytest.raises(SpaceError) as caught:
        load_space(name).parse(text)
    assert len(str(caught.value)) < 300
    assert str(caught.value).startswith(f"an architecture of {name}")


def test_a_long_message_keeps_its_beginning_and_its_remedy() -> None:
    text = f"the file is damaged: {'x ' * 1000}; run the study again"
    for kind in (StoreError, WriteError, SettingsError):
        assert str(kind(text)).startswith("the file is damaged: x x")
        assert str(kind(text)).endswith("x x ; run the study again")
        assert len(str(kind(text))) < 300
        assert str(kind("short")) == "short"


def test_a_message_is_one_line_without_endless_words() -> None:
    text = f"the name {'0' * 400} in /some/{'long/' * 30}path\n  and another line\x0bis wrong"
    shown = str(StoreError(text))
    assert shown.startswith(f"the name {'0' * 50}... in /some/long/")
    assert shown.endswith("long/path and another line is wrong")
