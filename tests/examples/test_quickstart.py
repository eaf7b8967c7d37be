"""The notebook runs from top to bottom, and is kept without outputs."""

import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from surrogate_nas.runs.study_file import read_study
from surrogate_nas.space.load import load_space

REPOSITORY = Path(__file__).resolve().parents[2]
NOTEBOOK = REPOSITORY / "examples" / "quickstart.ipynb"
SETTINGS = read_study("quickstart", {})
SPACE = load_space(SETTINGS.space)
# Everything is there and nothing is good.
TINY = {
    "network.channels": 4,
    "data.recalibration_images": 20,
    "supernet.steps": 20,
    "supernet.channels": 4,
    "labels.count": 30,
    "labels.validation_images": 50,
    "predictor.steps": 20,
    "predictor.ensemble": 2,
    "predictor.folds": 2,
    "search.trials": 40,
    "search.finalists": 2,
    "hardware.device": "cpu",
    "hardware.whole_networks": 4,
    "hardware.timing": {"seconds": 0.005, "min_repeats": 3, "max_repeats": 5, "attempts": 1},
}


def read() -> nbformat.NotebookNode:
    return nbformat.read(NOTEBOOK, as_version=4)  # type: ignore[no-untyped-call, no-any-return]


def run(notebook: nbformat.NotebookNode, monkeypatch: pytest.MonkeyPatch, cache: Path) -> str:
    """Runs all cells and gives what they print."""
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    monkeypatch.setenv("SURROGATE_NAS_CACHE", str(cache))
    NotebookClient(notebook, timeout=600, kernel_name="python3").execute()
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    return "".join(output.get("text", "") for output in outputs)


@pytest.mark.slow
@pytest.mark.parametrize("whole", [False, True])
def test_it_runs_from_top_to_bottom(whole: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    notebook = read()
    if not whole:
        first = notebook.cells[1]
        first.source = first.source.replace("settings = {}", f"settings = {TINY}")
        first.source = first.source.replace("training = {}", "training = {'epochs': 1}")
        assert "supernet.steps" in first.source
        assert "epochs" in first.source
    printed = run(notebook, monkeypatch, tmp_path)
    assert f"{SPACE.name}: {SPACE.size:,} architectures" in printed
    assert "report.html" in printed
    assert SETTINGS.data.max_images is not None
    assert f"of {1797 - SETTINGS.data.max_images} test images" in printed
    assert "model.onnx" in printed
    assert printed.count(", labelled ") == 8
    assert re.search(r"exported model: \d\S* ms \(IQR ", printed)
    assert re.search(r"smallest: \d\S* ms \(IQR ", printed)


def test_no_outputs_are_kept() -> None:
    for cell in read().cells:
        if cell.cell_type == "code":
            assert (cell.outputs, cell.execution_count) == ([], None)
