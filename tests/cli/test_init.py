"""Command lines import nothing from the working folder."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HOME = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("module", ["surrogate_nas.lookup", "surrogate_nas.predict", "surrogate_nas"])
def test_a_module_in_the_working_folder_does_not_run(module: str, tmp_path: Path) -> None:
    for name in ("typer", "pathlib", "json", "numpy", "pyarrow"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('a stranger ran')", encoding="utf-8")
    words = [sys.executable, "-m", module, "--version"]
    environment = os.environ | {"PYTHONPATH": str(HOME)}
    done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.split()[:1], done.stderr) == (0, ["surrogate_nas"], "")
