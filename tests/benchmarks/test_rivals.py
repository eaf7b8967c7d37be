"""The benchmark of rivals: who competes, what is trained again, and the table."""

from pathlib import Path

import pytest

from benchmarks.contestants import Contestant, interface_of
from benchmarks.rivals import Recipe, main, table, train_all
from benchmarks.trained_truth import trained_and_tested
from surrogate_nas.data.cache import save_splits
from surrogate_nas.rivals.rival import Interface
from surrogate_nas.rivals.rival_network import RivalNetwork
from surrogate_nas.training.settings import TrainingSettings

INTERFACE = Interface(3, 8, 2)


@pytest.mark.slow
def test_trainings_are_kept_and_shared_between_budgets(photos: Path, tmp_path: Path) -> None:
    splits = trained_and_tested(photos, 40, 0)
    save_splits(tmp_path / "images", splits)
    assert interface_of(splits) == INTERFACE
    network = RivalNetwork("resnet20", 0.125, INTERFACE)
    contestants = [Contestant(budget, "off the shelf", network, 1000, 2_000_000) for budget in (0, 1)]
    recipe = Recipe(TrainingSettings(epochs=1, batch_size=16), 2, tmp_path, tmp_path / "images", 1)
    first = train_all(contestants, recipe, 8)
    stamp = (tmp_path / "trained.json").stat().st_mtime_ns
    assert train_all(contestants, recipe, 8) == first
    assert (tmp_path / "trained.json").stat().st_mtime_ns == stamp
    (runs,) = first.values()
    assert len(runs) == 2
    lines = table(contestants, [0.5, 1.0], {contestants[0].key: 0.1}, first, len(splits.validation)).splitlines()
    assert len(lines) == 4
    assert lines[2].startswith("| 0.500 | ResNet-20 at width 0.125 | off the shelf | 0.100 | 1 K | 2.0 M | ")


@pytest.mark.slow
def test_the_whole_benchmark(photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = {
        "data.image_size": "8",
        "supernet.channels": "8",
        "supernet.cells": "1",
        "supernet.steps": "20",
        "supernet.batch_size": "8",
        "supernet.replicas": "1",
        "labels.count": "40",
        "data.recalibration_images": "10",
        "predictor.zero_cost": "false",
    }
    words = [
        "--data",
        photos,
        "--folder",
        tmp_path / "all",
        "--images",
        100,
        "--epochs",
        1,
        "--seeds",
        1,
        "--rivals",
        0,
    ]
    words += ["--space", "quick_widths", "--share", 2]
    words += [word for key, value in settings.items() for word in ("--study-set", f"quick_widths:{key}={value}")]
    assert main(list(map(str, words))) == 0
    shown = capsys.readouterr().out
    assert "quick_widths: found" in shown
    assert "quick_widths: largest of" in shown
