"""Sizes fall from class to class, figures are of the right classes, and the command prints a table."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.imbalance import figures, main, sizes_of, table, uneven_images


def test_sizes_fall_by_one_factor() -> None:
    sizes = sizes_of(500, 20, 10)
    assert (sizes[0], sizes[-1]) == (500, 25)
    steps = sizes[1:] / sizes[:-1]
    assert steps == pytest.approx(20 ** (-1 / 9), rel=0.03)


def test_the_smallest_classes_are_the_smallest() -> None:
    recall = np.array([10.0, 90.0, 20.0, 80.0, 30.0, 70.0])
    assert figures(recall, np.array([1, 100, 2, 99, 3, 98])) == (50, 80, 20)
    plain, drawn, weighed = np.array([[[50.0, 80, 20], [52, 80, 24]], [[60.0, 75, 50], [62, 75, 54]], np.ones((2, 3))])
    text = table({False: plain, True: drawn, "weights": weighed})
    assert "| as they are | 51.0 (38.3 to 63.7) | 80.0 (80.0 to 80.0) | 22.0 (-3.4 to 47.4) |" in text
    assert (
        "| balanced draws, difference | +10.0 (+10.0 to +10.0) | -5.0 (-5.0 to -5.0) | +30.0 (+30.0 to +30.0) |" in text
    )


@pytest.fixture
def images(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for part, count in (("train", 40), ("test", 5)):
        for name in ("ant", "bee", "cat"):
            folder = tmp_path / part / name
            folder.mkdir(parents=True)
            for number in range(count):
                pixels = rng.integers(0, 256, size=(32, 32, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(folder / f"{number}.png")
    return tmp_path


def test_the_seed_draws_which_class_is_large(images: Path) -> None:
    sizes = sizes_of(40, 10, 3)
    drawn = [uneven_images(images, sizes, seed) for seed in range(4)]
    counts = [one.train.labels.bincount().tolist() for one in drawn]
    assert all(sorted(one) == sorted(sizes.tolist()) for one in counts)
    assert len({tuple(one) for one in counts}) > 1
    assert len(drawn[0].validation) == 15


@pytest.mark.slow
def test_the_command_prints_a_table(images: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = ["--data", str(images), "--largest", "40", "--epochs", "1", "--seeds", "1", "--processes", "1"]
    assert main([*line, "--ratio", "4"]) == 0
    out = capsys.readouterr().out
    assert "Classes of 40, 20, 10 images, 1 epoch, 1 seed" in out
    assert "| as they are | " in out
    assert "| balanced draws | " in out
    assert "| weights in the loss | " in out
    assert main([*line, "--largest", "41"]) == 2
    assert "has 40 images, fewer than 41" in capsys.readouterr().err
