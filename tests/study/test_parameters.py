"""No function of a study takes more than five things, or it hides an object that has no name yet."""

import ast
from pathlib import Path

STUDY = Path(__file__).resolve().parents[2] / "surrogate_nas" / "study"
MOST = 5
# The command line in Python: every parameter is a keyword of its own.
EXCEPT = {"api.py: __init__"}


def parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    names = [one.arg for one in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)]
    return len([name for name in names if name not in ("self", "cls")])


def test_no_function_has_more_than_five_parameters() -> None:
    many, found = set(), 0
    for path in sorted(STUDY.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                found += 1
                if parameters(node) > MOST:
                    many.add(f"{path.relative_to(STUDY)}: {node.name}")
    assert found > 100
    assert many == EXCEPT
