"""The contracts of ``pyproject.toml`` hold, and would be broken by what they forbid."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
LINT = "import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())"


def lint(root: Path) -> subprocess.CompletedProcess[str]:
    """Checks the package ``surrogate_nas`` of a folder by the contracts of this repository."""
    return subprocess.run(
        [sys.executable, "-c", LINT, "--config", str(REPOSITORY / "pyproject.toml"), "--no-cache"],
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(root), "NO_COLOR": "1", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_imports_keep_to_the_layers() -> None:
    done = lint(REPOSITORY)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "13 kept, 0 broken" in done.stdout


@pytest.mark.quick_cases(6)
@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        (
            "space/space.py",
            "from surrogate_nas.nets import latest",
            "Imports point down, and every module has its layer",
        ),
        ("supernet/plan.py", "import surrogate_nas.hardware.cost_models", "Imports point down"),
        ("costs/budgets.py", "import surrogate_nas.ranking", "Imports point down"),
        ("_support/files.py", "import surrogate_nas.costs.pareto", "Imports point down"),
        ("study/run.py", "import surrogate_nas.cli.study", "Imports point down"),
        ("deploy/train/card.py", "import surrogate_nas.study.api", "Imports point down"),
        ("space/codes.py", "import surrogate_nas.space.load", "No circle of imports, at any depth"),
        ("space/kinds/cell/space.py", "import surrogate_nas.space.load", "No circle of imports, at any depth"),
        ("space/operations/table.py", "import surrogate_nas.space.kinds.cell.space", "Inside space"),
        ("nets/places/table.py", "import surrogate_nas.nets.standalone", "Inside nets"),
        ("supernet/rules/schedules.py", "import surrogate_nas.supernet.plan", "Inside supernet"),
        ("hardware/tables/full.py", "import surrogate_nas.hardware.transfer.design", "Inside hardware"),
        ("predictor/models/ridge.py", "import surrogate_nas.predictor.fusion.stack", "Inside predictor"),
        ("search/journal/trials.py", "import surrogate_nas.search.run_search", "Inside search"),
        ("report/plots/style.py", "import surrogate_nas.report.page", "Inside report"),
        ("study/stages/labels.py", "import surrogate_nas.study.run", "Inside study"),
        ("forgotten.py", "", "Imports point down"),
        (
            "search/samplers/scan.py",
            "def late():\n    import surrogate_nas.labels.store",
            "Stages know files and protocols",
        ),
        (
            "supernet/plan.py",
            "import surrogate_nas.space.kinds.cell.space",
            "Only the reader of definitions and the places know the kinds",
        ),
        (
            "nets/standalone.py",
            "from surrogate_nas.space.kinds.chain import elastic",
            "Only the reader of definitions and the places know the kinds",
        ),
        ("labels/store.py", "import torch", "What works with codes and numbers alone"),
    ],
)
def test_what_is_forbidden_is_found(tmp_path: Path, module: str, line: str, contract: str) -> None:
    shutil.copytree(
        REPOSITORY / "surrogate_nas", tmp_path / "surrogate_nas", ignore=shutil.ignore_patterns("__pycache__")
    )
    with (tmp_path / "surrogate_nas" / module).open("a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")
    done = lint(tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    broken = [text for text in done.stdout.splitlines() if text.startswith(contract)]
    assert any("BROKEN" in text for text in broken), done.stdout
