"""A run continues where it was stopped, and the result stands beside the paper's."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.resnet20 import ALL_IMAGES, Clock, main, summary
from surrogate_nas.deploy.accuracy import Accuracy
from surrogate_nas.training.recipes import final_recipe
from surrogate_nas.training.settings import FinalSettings


def test_times_add_up_over_stops(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "times.json").write_text('{"seconds": 7200, "processor_seconds": 14400}')
    clock = Clock(tmp_path / "times.json", 10)
    clock.epoch(2, 1.5)
    assert "epoch 2 of 10: loss 1.500, 240.0 processor minutes, 8.00 hours left" in capsys.readouterr().out
    assert Clock(tmp_path / "times.json", 10).seconds >= 7200


@pytest.mark.parametrize(
    ("right", "words"), [(9100, "within the interval"), (8900, "ABOVE the interval"), (9300, "is below the interval")]
)
def test_the_paper_s_accuracy_is_compared(tmp_path: Path, right: int, words: str) -> None:
    recipe = final_recipe(flip=True, images=ALL_IMAGES, image_size=32, given=FinalSettings(epochs=160))
    text = summary(Accuracy.of(right, 10_000), recipe, ALL_IMAGES, Clock(tmp_path / "times.json", 160))
    assert words in text
    assert "the paper has 91.25%" in text


@pytest.mark.slow
def test_a_short_run_says_what_a_long_one_would_take(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(0)
    for part, count in (("train", 60), ("test", 4)):
        for name in ("cat", "dog"):
            folder = tmp_path / "images" / part / name
            folder.mkdir(parents=True)
            for number in range(count):
                pixels = rng.integers(0, 256, size=(32, 32, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(folder / f"{number}.png")
    line = ["--data", str(tmp_path / "images"), "--folder", str(tmp_path / "run"), "--epochs", "1", "--threads", "1"]
    assert main(line) == 0
    out = capsys.readouterr().out
    assert "epoch 1 of 1" in out
    assert "of 8 test images; the paper has 91.25%" in out
    assert "160 epochs of 50,000 images would take" in out
    assert main([*line, "--set", "training.mixup=0.3"]) == 2
    assert "was made with training.mixup = 0.0, not 0.3; remove it" in capsys.readouterr().err
    assert main([*line, "--set", "training.mixup=3"]) == 2
    assert "training.mixup: input should be less than or equal to 1" in capsys.readouterr().err
