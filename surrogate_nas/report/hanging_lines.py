"""Prints a name and a text next to it, whose continuations keep the indent."""

from rich.console import Console
from rich.table import Table
from rich.text import Text


def print_hanging(console: Console, head: Text, text: str) -> None:
    """Prints a line whose continuations keep the first one's indent; it is not broken in a file or pipe."""
    if not console.is_terminal:
        console.print(head + text, soft_wrap=True)
        return
    grid = Table.grid(padding=0)
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row(head, Text(text))
    console.print(grid)
