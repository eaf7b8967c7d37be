"""Reads the output of command lines in tests: errors as printed, tables as written."""

from collections.abc import Callable
from pathlib import Path

from surrogate_nas.space.load import load_space


def error_line(errors: str) -> str:
    """Returns the one line of an error, which is the last one."""
    assert "Traceback" not in errors
    (line,) = [line for line in errors.splitlines() if line.startswith("error: ")]
    assert errors.splitlines()[-1] == line
    return line


def write_table(path: Path, change: Callable[[list[str]], list[str]]) -> Path:
    space = load_space("nasbench201")
    rows = [f"{digits},{1 + position / 1000}" for position, digits in enumerate(space.digits(space.all_codes()))]
    path.write_text("\n".join(["code,board", *change(rows)]) + "\n", encoding="utf-8")
    return path
