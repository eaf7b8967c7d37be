"""Sizes of modules, functions and folders of the package.

python -m benchmarks.code_figures
"""

import ast
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from surrogate_nas.cli.command_line import run_command, say
from surrogate_nas.errors import SettingsError

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

REPOSITORY = Path(__file__).resolve().parents[1]
SHARES = (50, 90, 99, 100)


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Returns lines from the first to the last statement, the docstring left out."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def figures(root: Path) -> dict[str, list[int]]:
    """Returns the sizes of everything of its kind below a folder, by name.

    Raises:
        SettingsError: If there is no module.
    """
    files = sorted(root.rglob("*.py"))
    if not files:
        raise SettingsError(f"a folder of Python modules is needed (got {root})")
    texts = {file: file.read_text(encoding="utf-8") for file in files}
    nodes = [node for text in texts.values() for node in ast.walk(ast.parse(text))]
    functions = [node for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    folders = Counter(file.parent for file in files if not file.name.startswith("__"))
    return {
        "lines of a module": [len(text.splitlines()) for file, text in texts.items() if file.name != "__init__.py"],
        "lines of a body": [body_lines(function) for function in functions],
        "modules of a folder": list(folders.values()),
        "levels of folders": [len(file.relative_to(root).parts) - 1 for file in files],
        "lines of examples": [sum(text.count(">>> ") for text in texts.values())],
        "lines in all": [sum(len(text.splitlines()) for text in texts.values())],
    }


def table(sizes: dict[str, list[int]]) -> str:
    """Percentiles of every figure as text."""
    rows = [f"{'':20}" + "".join(f"{f'p{share}':>8}" for share in SHARES)]
    for name, values in sizes.items():
        found = np.percentile(values, SHARES, method="lower").astype(int)
        rows.append(f"{name:20}" + "".join(f"{value:>8,}" for value in found))
    return "\n".join(rows)


@app.command()
def code_figures(
    root: Annotated[Path, typer.Argument(help="Folder of modules.")] = REPOSITORY / "surrogate_nas",
) -> None:
    """Sizes of modules, functions and folders, at the median and above."""
    say(table(figures(root)))


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; gives its exit code."""
    return run_command(app, "python -m benchmarks.code_figures", arguments)


if __name__ == "__main__":
    sys.exit(main())
