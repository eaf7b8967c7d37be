"""The packages that the page on installation names are enough for what it says."""

import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

REPOSITORY = Path(__file__).resolve().parents[2]
PAGE = (REPOSITORY / "docs" / "how-to" / "install.md").read_text(encoding="utf-8")
IMPORTED = """
import sys
from importlib import metadata
import surrogate_nas.cli.lookup, surrogate_nas.lookup.__main__
places = metadata.packages_distributions()
names = {name.partition(".")[0] for name in sys.modules}
print(*{places[name][0] for name in names if name in places and name != "surrogate_nas"})
"""


def closure(names: set[str]) -> set[str]:
    """Returns packages with everything that they need here, in small letters."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = re.sub("[-_.]+", "-", waiting.pop().lower())
        if name in found:
            continue
        found.add(name)
        needed = [Requirement(one) for one in metadata.requires(name) or []]
        waiting += [one.name for one in needed if one.marker is None or one.marker.evaluate({"extra": ""})]
    return found


def test_the_lookup_table_needs_the_packages_that_the_page_names() -> None:
    named = re.search(r"--no-deps \.\npip install (.+)", PAGE)
    assert named is not None
    made = subprocess.run([sys.executable, "-c", IMPORTED], capture_output=True, text=True, check=True)
    imported = {re.sub("[-_.]+", "-", name.lower()) for name in made.stdout.split()}
    assert "typer" in imported
    # Files of packages of the interpreter itself, and modules that other packages try to import.
    tried = {"setuptools", "pip", "cloudpickle", "cffi", "distutils-precedence"}
    assert imported - tried <= closure(set(named[1].split()))


def test_every_extra_of_users_has_a_row() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = set(project["optional-dependencies"]) - {"dev", "docs"}
    rows = [line.split("|")[1] for line in PAGE.splitlines() if line.startswith("| `")]
    assert {name for row in rows for name in re.findall("`([^`]+)`", row)} == extras
