"""Names of rules stand in their tables; nothing else compares one, so that a new rule is a row and no branch."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from surrogate_nas.supernet.rule import Rule, RuleSettings, contradictions
from surrogate_nas.supernet.rules.momentum import MOMENTUM_GROUPS
from surrogate_nas.supernet.rules.sampling import SAMPLERS
from surrogate_nas.supernet.rules.schedules import SCHEDULES
from surrogate_nas.supernet.rules.sharing import REDUCTIONS, SHARINGS
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
    """Comparisons with the name of a rule.

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
    """Refuses everything."""

    def refusals(self, settings: RuleSettings) -> Iterator[str]:
        yield f"no {settings.split}"

    def claims(self, settings: RuleSettings) -> Iterator[str]:
        yield f"mine, not of {settings.sampler}"


def test_the_chosen_row_refuses_and_the_others_claim() -> None:
    rules, settings = {"mine": Mine(), "free": Rule(), "too": Mine()}, SupernetSettings()
    assert list(contradictions(rules, "mine", settings)) == ["no none", "mine, not of nonlinear"]
    assert list(contradictions(rules, "free", settings)) == ["mine, not of nonlinear"] * 2


def test_every_row_is_a_choice_of_its_setting_in_the_order_of_the_table() -> None:
    properties = SupernetSettings.model_json_schema()["properties"]
    for setting, rows in TABLES.items():
        assert set(properties[setting]["enum"]) == rows
    assert properties["split"]["enum"] == ["nonlinear", "none", "edge", "gradient"]
    assert properties["sampler"]["enum"] == ["balanced", "per_group", "uniform", "nonlinear", "fair"]
