"""Looking at a search in optuna-dashboard."""

import shlex
from pathlib import Path


def dashboard_command(journal: Path) -> str:
    """The command that shows a search's journal in a browser; it may run while the search does.

    optuna-dashboard 0.21 takes the path of an existing file for a journal, unless it starts like an option or like the
    address of a Redis server.
    """
    path = str(journal)
    if path.startswith(("-", "redis")):
        path = f"./{path}"
    return f"optuna-dashboard {shlex.quote(path)}"
