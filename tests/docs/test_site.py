"""The site builds without a warning, its navigation names every page, and its reference every setting."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from surrogate_nas import __all__ as public_names
from surrogate_nas.runs.settings import StudySettings
from surrogate_nas.runs.study_file import settings_of

REPOSITORY = Path(__file__).resolve().parents[2]
DOCS = REPOSITORY / "docs"


@pytest.fixture(scope="module")
def hooks() -> ModuleType:
    pytest.importorskip("mkdocs")
    spec = importlib.util.spec_from_file_location("docs_hooks", DOCS / "hooks.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def listed(nav: object) -> list[str]:
    """Returns the files of a navigation, at any depth."""
    if isinstance(nav, str):
        return [nav]
    values = nav.values() if isinstance(nav, dict) else nav
    assert not isinstance(values, int | None)
    return [path for item in values for path in listed(item)]  # type: ignore[attr-defined]


def test_the_navigation_names_every_page_once(hooks: ModuleType) -> None:
    named = listed(yaml.safe_load((REPOSITORY / "mkdocs.yml").read_text(encoding="utf-8"))["nav"])
    written = {f"reference/{name}.md" for name in hooks.pages()}
    there = {str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md")}
    assert sorted(named) == sorted(there | written)


def test_the_reference_has_every_setting_option_and_name(hooks: ModuleType) -> None:
    pages = hooks.pages()
    for key in settings_of(StudySettings):
        assert f"| `{key}` |" in pages["settings"], key
    for option in ("`--latency-budget`", "`--export`", "`RUN`", "export-bench"):
        assert option in pages["commands"]
    for name in public_names:
        assert f"## {name}\n" in pages["api"]
    assert "LookupTable.near" in pages["api"]


@pytest.mark.slow
def test_it_builds_without_a_warning(tmp_path: Path) -> None:
    pytest.importorskip("mkdocs")
    words = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")]
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(words, cwd=REPOSITORY, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "site" / "reference" / "settings" / "index.html").is_file()
