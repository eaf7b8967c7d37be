"""Every module has a test file of the same name at the same place."""

import ast
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
PACKAGE = REPOSITORY / "surrogate_nas"
BENCHMARKS = REPOSITORY / "benchmarks"


def needs_a_test(source: Path) -> bool:
    """Returns whether there is anything to test.

    A ``__main__.py`` that hands over to its command line in ``cli`` is tested there, and by every test that runs it.
    Empty ``__init__`` files have nothing in them. A ``settings.py`` of nothing but fields, without a validator or any
    other function, is data that pydantic interprets; what its values do is tested where they are used.
    """
    content = ast.parse(source.read_text(encoding="utf-8"))
    if source.name == "__main__.py" and is_hand_over(content, source.parent.name):
        return False
    if source.name == "settings.py":
        return any(isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) for node in ast.walk(content))
    return bool(content.body)


def is_hand_over(content: ast.Module, package: str) -> bool:
    """Returns whether a module only begins ``surrogate_nas.cli.PACKAGE``, of the whole package the console command."""
    name, call = ("main", "main()") if package == PACKAGE.name else ("run", f"run('{package}')")
    statements = content.body[1:]
    lines = [
        "import sys",
        f"from surrogate_nas.cli.start import {name}",
        f"if __name__ == '__main__': sys.exit({call})",
    ]
    expected = "\n".join(lines)
    return ast.unparse(ast.Module(statements, [])) == ast.unparse(ast.parse(expected))


def mirror(source: Path) -> Path:
    """Returns the test file: ``tests/a/test_b.py`` of ``surrogate_nas/a/b.py``, ``test_main.py`` of ``__main__.py``.

    What is outside the package keeps its folder: ``benchmarks/a.py`` is tested by ``tests/benchmarks/test_a.py``.
    """
    root = PACKAGE if source.is_relative_to(PACKAGE) else REPOSITORY
    return REPOSITORY / "tests" / source.parent.relative_to(root) / f"test_{source.stem.strip('_')}.py"


def test_every_module_has_its_tests() -> None:
    sources = sorted([*PACKAGE.rglob("*.py"), *BENCHMARKS.rglob("*.py")])
    assert len(sources) > 50
    missing = [source for source in sources if needs_a_test(source) and not mirror(source).is_file()]
    assert [str(mirror(source).relative_to(REPOSITORY)) for source in missing] == []


def test_every_test_file_tests_something() -> None:
    for path in (REPOSITORY / "tests").rglob("test_*.py"):
        nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        assert any(isinstance(node, ast.FunctionDef) and node.name.startswith("test_") for node in nodes), path
