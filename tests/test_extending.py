"""The examples of CONTRIBUTING work as they stand, and touch as few files as they say."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

PAGE = REPOSITORY / "CONTRIBUTING.md"
# Files of the package that an example touches, new ones included.
FILES = {
    "An operation": 2,
    "A split of the supernet": 2,
    "A predictor model": 2,
    "A cost": 2,
    "A search strategy": 2,
}
STEP = re.compile(
    r"^(?P<what>New file|Row in|Check)(?: `(?P<path>[^`]+)`)?(?:, after `(?P<anchor>[^`]+)`)?:\n"
    r"```(?:python|text)\n(?P<code>.*?)```",
    re.DOTALL | re.MULTILINE,
)


def section(title: str) -> str:
    text = PAGE.read_text(encoding="utf-8")
    start = text.index(f"\n### {title}\n")
    end = text.find("\n### ", start + 1)
    return text[start:end]


def insert(path: Path, anchor: str, code: str) -> None:
    """Inserts lines after the one line that begins with the anchor, behind whatever belongs to it."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    places = [number for number, line in enumerate(lines) if line.startswith(anchor)]
    assert len(places) == 1, f"{path} has {len(places)} lines that begin with {anchor!r}"
    lines.insert(places[0] + 1, code)
    path.write_text("".join(lines), encoding="utf-8")


@pytest.mark.quick_cases(1)
@pytest.mark.parametrize(
    "title", [pytest.param(title, marks=pytest.mark.slow if title == "A predictor model" else ()) for title in FILES]
)
def test_an_example_works_and_touches_few_files(title: str, tmp_path: Path) -> None:
    shutil.copytree(
        REPOSITORY / "surrogate_nas", tmp_path / "surrogate_nas", ignore=shutil.ignore_patterns("__pycache__")
    )
    for folder in ("spaces", "studies"):
        shutil.copytree(REPOSITORY / folder, tmp_path / folder)
    touched, checks = set(), []
    for step in STEP.finditer(section(title)):
        if step["what"] == "Check":
            checks.append(step["code"])
            continue
        path = tmp_path / step["path"]
        touched.add(step["path"])
        if step["what"] == "New file":
            assert not path.exists()
            path.write_text(step["code"], encoding="utf-8")
        else:
            insert(path, step["anchor"], step["code"])
    assert len(touched) == FILES[title]
    assert len(checks) == 1
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    where = (
        "import surrogate_nas, pathlib\nassert pathlib.Path(surrogate_nas.__file__).parents[1] == pathlib.Path.cwd()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", where + checks[0]],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
