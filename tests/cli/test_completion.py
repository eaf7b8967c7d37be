"""The shell offers the right words when the tab key is pressed."""

import os
import subprocess
import sys

import pytest

from surrogate_nas._support.definitions import available
from surrogate_nas.cli import completion
from surrogate_nas.cli.main import COMMANDS
from surrogate_nas.data.sources import SOURCES

PROGRAM = """
import sys
from surrogate_nas.cli.main import main
try:
    main([])
finally:
    print(*sys.modules, file=sys.stderr)
"""


def offered(line: str) -> list[str]:
    """Returns the words that bash offers for a line whose last word is unfinished, empty words included."""
    # As bash does it: the words of the line, and the number of the one under the cursor.
    environment = os.environ | {
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(line.split(" ")) - 1),
        "_SURROGATE_NAS_COMPLETE": "complete_bash",
    }
    line_of = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(line_of, capture_output=True, encoding="utf-8", check=False, env=environment)
    assert "torch" not in done.stderr.split()
    return done.stdout.split()


@pytest.mark.quick_cases(3)
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("surrogate-nas ", list(COMMANDS)),
        ("surrogate-nas re", ["report"]),
        ("surrogate-nas study qu", ["quickstart"]),
        ("surrogate-nas study --latency-", ["--latency-budget", "--latency-table"]),
        ("surrogate-nas study --device c", ["cpu", "cuda"]),
        ("surrogate-nas train run --track m", ["mlflow"]),
        ("surrogate-nas study --set supernet.st", ["supernet.steps="]),
        ("surrogate-nas train run --set training.cut", ["training.cutmix="]),
        ("surrogate-nas space check nasbench2", ["nasbench201"]),
        ("surrogate-nas hardware ex", ["export-bench"]),
        ("surrogate-nas lookup ru", []),  # the shell completes files itself
    ],
)
def test_the_shell_is_offered_what_may_follow(line: str, expected: list[str]) -> None:
    assert offered(line) == expected


def test_names_are_those_that_there_are() -> None:
    assert completion.studies("") == available("studies")
    assert completion.spaces("") == available("spaces")
    assert set(completion.data_sets("")) == set(SOURCES) - {"folder"}
    assert completion.settings("hardware.bat") == ["hardware.batch="]
    assert completion.final_settings("training.mix") == ["training.mixup="]
    assert completion.devices("x") == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_for_a_shell_is_shown(shell: str) -> None:
    environment = os.environ | {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    line = [sys.executable, "-m", "surrogate_nas", "--show-completion", shell]
    done = subprocess.run(line, capture_output=True, encoding="utf-8", check=True, env=environment)
    assert "_SURROGATE_NAS_COMPLETE" in done.stdout
