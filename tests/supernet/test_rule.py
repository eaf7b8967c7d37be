"""Names of rules stand only in their tables, so that a new rule is a row and no branch."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from surrogate_nas.supernet.rule import Rule, RuleSettings, owned
from surrogate_nas.supernet.rules.momentum import MOMENTUM_GROUPS
from surrogate_nas.supernet.rules.sampling import SAMPLERS
from surrogate_nas.supernet.rules.schedules import SCHEDULES
from surrogate_nas.supernet.rules.sharing import REDUCTIONS, SHARINGS, WEIGHTS
from surrogate_nas.supernet.settings import SupernetSettings
from surrogate_nas.supernet.splits.table import SPLITS

PACKAGE = Path(__file__).resolve().parents[2] / "surrogate_nas"
TABLES = {
    "split": set(SPLITS),
    "sharing": set(SHARINGS),
    "sampler": set(SAMPLERS),
    "schedule": set(SCHEDULES),
    "momentum_groups": set(MOMENTUM_GROUPS),
    "reductions": set(REDUCTIONS),
    "weights": set(WEIGHTS),
}


def compared(tree: ast.AST) -> Iterator[tuple[int, str, set[str]]]:
    """Line, text and strings of every comparison and every match."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare | ast.Match):
            parts = [node, *(case.pattern for case in node.cases)] if isinstance(node, ast.Match) else [node]
            shown = node.subject if isinstance(node, ast.Match) else node
            inside = [leaf for part in parts if not isinstance(part, ast.Match) for leaf in ast.walk(part)]
            strings = {leaf.value for leaf in inside if isinstance(leaf, ast.Constant) and isinstance(leaf.value, str)}
            yield node.lineno, ast.unparse(shown), strings


def names_compared(source: str, everywhere: bool) -> list[str]:
    """Returns the comparisons with the name of a rule.

    Args:
        source: A program.
        everywhere: Whether any comparison with such a word counts; else only those that mention the rule's setting,
            since other packages have words of their own, such as ``none``.
    """
    found = []
    for line, text, strings in compared(ast.parse(source)):
        for setting, rows in TABLES.items():
            if strings & rows and (everywhere or setting in text):
                found.append(f"{line}: {text}")
                break
    return found


def test_no_name_of_a_rule_is_compared() -> None:
    paths = sorted(PACKAGE.rglob("*.py"))
    found = {
        str(path.relative_to(PACKAGE)): names_compared(
            path.read_text(encoding="utf-8"), everywhere=path.is_relative_to(PACKAGE / "supernet")
        )
        for path in paths
    }
    assert len(paths) > 50
    assert {path: lines for path, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
    "line",
    [
        "if plan.settings.split == 'gradient': pass",
        "late = settings.split in ('none', 'edge')",
        "late = settings.split not in {'none'}",
        "match settings.sampler:\n    case 'fair' | 'uniform': pass",
    ],
)
@pytest.mark.parametrize("everywhere", [False, True])
def test_a_comparison_is_found(line: str, everywhere: bool) -> None:
    assert len(names_compared(line, everywhere)) == 1


def test_words_of_other_packages_are_theirs() -> None:
    assert names_compared("if PATH_USE[source] == 'none': pass", everywhere=False) == []


class Mine(Rule):
    """Refuses everything, and has a setting of its own."""

    own = frozenset({"mine"})

    def refusals(self, settings: RuleSettings) -> Iterator[str]:
        yield f"no {settings.split}"


def test_rules_refuse_and_own_settings() -> None:
    settings = SupernetSettings()
    assert list(Mine().refusals(settings)) == ["no nonlinear"]
    assert list(Rule().refusals(settings)) == []
    assert owned({"mine": Mine(), "free": Rule()}) == {"mine"}


def test_every_row_is_a_choice_of_its_setting_in_the_order_of_the_table() -> None:
    properties = SupernetSettings.model_json_schema()["properties"]
    for setting, rows in TABLES.items():
        assert set(properties[setting]["enum"]) == rows
    assert properties["split"]["enum"] == ["nonlinear", "none", "edge", "gradient"]
    assert properties["sampler"]["enum"] == ["balanced", "per_group", "uniform", "nonlinear", "fair", "sandwich"]


def test_own_settings_are_settings_of_one_row() -> None:
    rows = [rule for table in (SPLITS, SHARINGS, SAMPLERS, SCHEDULES, MOMENTUM_GROUPS) for rule in table.values()]
    names = [name for rule in rows for name in rule.own]
    assert set(names) <= set(SupernetSettings.model_fields)
    assert len(names) == len(set(names))


ADDED = """
import numpy as np

from surrogate_nas.supernet.rules.samplers import Balanced, WithinGroup
from surrogate_nas.supernet.rules.sampling import SAMPLERS, SamplingRule
from surrogate_nas.supernet.splits.boxes import BoxSplit, whole_box
from surrogate_nas.supernet.splits.split import SplitRule
from surrogate_nas.supernet.splits.table import SPLITS


class Halves(SplitRule):
    own = frozenset({"split_edge"})
    by_boxes = True
    parent_share = 0.5

    def split(self, space, settings):
        first, *rest = whole_box(space)
        return BoxSplit(space, [(first[:2], *rest), (first[2:], *rest)])

    def refusals(self, settings):
        yield from super().refusals(settings)
        if settings.replicas > 1:
            yield "halves are trained once"


class Again(SamplingRule):
    def sampler(self, source, seed):
        if source.group is not None:
            return WithinGroup(source.split, source.group, seed)
        return Balanced(source.split, seed, np.ones(source.split.groups))


SPLITS["halves"] = Halves()
SAMPLERS["again"] = Again()

from surrogate_nas.space.load import load_space
from surrogate_nas.supernet.plan import make_plan
from surrogate_nas.supernet.settings import SupernetSettings

space = load_space("nasbench201")
plan = make_plan(space, space.network, SupernetSettings(split="halves", sampler="again", steps=10), 0)
assert [len(phase) for phase in plan.phases] == [1, 2]
assert plan.training(1).parent == "parent"
assert plan.training(1).first_step == 5
for member in (0, 1):
    drawn = plan.sampler(plan.training(member)).block(0)[:, 0]
    assert (plan.member_of(drawn) == member).all()
try:
    SupernetSettings(split="halves", replicas=2)
except ValueError as error:
    assert "halves are trained once" in str(error)
else:
    raise AssertionError("it was not refused")
"""


def test_a_class_and_a_row_are_all_that_a_new_rule_needs() -> None:
    done = subprocess.run([sys.executable, "-c", ADDED], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
