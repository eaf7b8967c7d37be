"""Lines that wrap on a terminal and stay whole elsewhere."""

import io

from rich.console import Console
from rich.text import Text

from surrogate_nas.report.hanging_lines import print_hanging

LONG = "one two three four five six seven eight nine ten"


def printed(*, terminal: bool) -> list[str]:
    stream = io.StringIO()
    print_hanging(Console(file=stream, width=30, force_terminal=terminal, color_system=None), Text("name  "), LONG)
    return [line.rstrip() for line in stream.getvalue().splitlines()]


def test_continuations_keep_the_indent_on_a_terminal() -> None:
    lines = printed(terminal=True)
    assert len(lines) > 1
    assert lines[0].startswith("name  one")
    assert all(line.startswith("      ") for line in lines[1:])
    assert max(map(len, lines)) <= 30


def test_a_pipe_gets_one_line() -> None:
    assert printed(terminal=False) == [f"name  {LONG}"]
