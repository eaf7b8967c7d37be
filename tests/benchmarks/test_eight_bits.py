"""The benchmark of trainings for 8 bits, on few images."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.eight_bits import main


@pytest.mark.slow
def test_a_row_for_each_form_has_three_accuracies(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(0)
    for place in range(60):
        folder = tmp_path / ("light" if place % 2 else "dark")
        folder.mkdir(exist_ok=True)
        pixels = rng.integers(0, 60, size=(8, 8)) + 150 * (place % 2)
        Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{place}.png")
    words = ["--data", str(tmp_path), "--space", "quick", "--images", "40", "--epochs", "1"]
    assert main([*words, "--quantisation-epochs", "1"]) == 0
    out = capsys.readouterr().out
    rows = [line.split(" | ") for line in out.splitlines() if line.startswith(("| signed", "| unsigned"))]
    assert [row[0] for row in rows] == ["| unsigned", "| signed"]
    for row in rows:
        assert all(0 <= float(cell.rstrip("%")) <= 100 for cell in row[1:4])
        assert row[4].rstrip(" |") == "20"
    assert "1 epoch of quantisation-aware training after it" in out
