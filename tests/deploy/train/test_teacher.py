"""The teacher is a larger architecture, by its code or by a multiple of the budgets."""

from dataclasses import replace
from pathlib import Path

import pytest

from surrogate_nas.deploy.train.chosen import Choice, choose
from surrogate_nas.deploy.train.teacher import teacher_of
from surrogate_nas.errors import SettingsError
from surrogate_nas.lookup.table import LookupTable
from surrogate_nas.training.settings import FinalSettings


@pytest.fixture
def choice(finished_run: Path) -> Choice:
    """Returns the cheapest of the three architectures of the run."""
    table = LookupTable.load(finished_run)
    return choose(
        finished_run, arch=min((table.entry(row) for row in range(3)), key=lambda one: one.costs["flops"]).code
    )


def code_of(choice: Choice, settings: FinalSettings) -> str:
    code = teacher_of(choice, settings)
    assert code is not None
    return choice.space.digits(code[None])[0]


def test_no_teacher_unless_asked(choice: Choice) -> None:
    assert teacher_of(choice, FinalSettings()) is None


def test_a_teacher_by_its_code_need_not_be_in_the_table(choice: Choice) -> None:
    assert code_of(choice, FinalSettings(teacher="333333")) == "333333"


@pytest.mark.parametrize(("times", "latency"), [(2.5, 2), (3.5, 3), (900, 3)])
def test_a_teacher_by_a_multiple_of_the_budgets_is_the_largest_within(
    choice: Choice, times: float, latency: float
) -> None:
    table = LookupTable.load(choice.run.path)
    expected = next(table.entry(row) for row in range(3) if table.entry(row).costs["latency_ms"] == latency)
    tight = replace(choice, budgets={"latency_ms": 1.0})
    teacher = teacher_of(tight, FinalSettings(teacher_budget=times))
    assert teacher is not None
    assert teacher.tolist() == choice.space.effective(choice.space.parse(expected.code)[None])[0].tolist()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"teacher": "999999"}, "training.teacher: "),
        ({"teacher": "000000"}, "training.teacher: 000000 has no path"),
        ({"teacher_budget": 1.5}, "no more than the"),
    ],
)
def test_teachers_that_cannot_teach_are_refused(choice: Choice, settings: dict[str, str | float], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        teacher_of(replace(choice, budgets={"latency_ms": 1.0}), FinalSettings.model_validate(settings))


def test_a_multiple_that_holds_nothing_is_refused(choice: Choice) -> None:
    with pytest.raises(SettingsError, match=r"no architecture of the table is within 1\.5 times the budgets; raise"):
        teacher_of(replace(choice, budgets={"latency_ms": 0.01}), FinalSettings(teacher_budget=1.5))


def test_a_multiple_of_no_budget_is_refused(choice: Choice) -> None:
    with pytest.raises(SettingsError, match="this run has none; name a teacher by training"):
        teacher_of(replace(choice, budgets={}), FinalSettings(teacher_budget=2.0))
