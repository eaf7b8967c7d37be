"""The package itself: its version, and that importing it is quick and silent."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import surrogate_nas

REPOSITORY = Path(__file__).resolve().parents[1]


def test_the_version_is_one_that_packaging_takes() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+((a|b|rc)\d+|\.dev\d+)?", surrogate_nas.__version__)


def test_the_version_stands_in_one_place() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["dynamic"] == ["version"]
    assert project["tool"]["hatch"]["version"]["path"] == "surrogate_nas/__init__.py"


def test_importing_it_loads_nothing_else_and_says_nothing() -> None:
    script = "import sys; before = set(sys.modules); import surrogate_nas; print(sorted(set(sys.modules) - before))"
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environment)
    assert (done.stdout.strip(), done.stderr) == ("['surrogate_nas']", "")


def test_public_names_are_loaded_when_used_and_the_table_without_torch() -> None:
    script = (
        "import sys; from surrogate_nas import LookupTable, load_space; "
        "print(LookupTable.__name__, load_space('nasbench201').size, 'torch' in sys.modules)"
    )
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environment)
    assert (done.stdout.strip(), done.stderr) == ("LookupTable 15625 False", "")


def test_every_public_name_is_there_and_no_other() -> None:
    for name in surrogate_nas.__all__:
        assert getattr(surrogate_nas, name).__name__ == name
        assert name in dir(surrogate_nas)
    with pytest.raises(AttributeError, match="it has Classifier, HardwareSettings, LookupTable"):
        surrogate_nas.Nothing  # noqa: B018
