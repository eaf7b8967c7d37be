"""The notebook runs from top to bottom, and is kept without outputs."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

REPOSITORY = Path(__file__).resolve().parents[2]
NOTEBOOK = REPOSITORY / "examples" / "quickstart.ipynb"
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


@pytest.mark.parametrize("whole", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_it_runs_from_top_to_bottom(whole: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    notebook = read()
    if not whole:
        notebook.cells[1].source = notebook.cells[1].source.replace("settings = {}", f"settings = {TINY}")
        assert "supernet.steps" in notebook.cells[1].source
    printed = run(notebook, monkeypatch, tmp_path)
    assert "nasbench201: 15,625 architectures" in printed
    assert "15,284 architectures" in printed
    assert "report.html" in printed


def test_no_outputs_are_kept() -> None:
    for cell in read().cells:
        if cell.cell_type == "code":
            assert (cell.outputs, cell.execution_count) == ([], None)
