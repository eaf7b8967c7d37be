"""Images that judge are others than those trained on; the table has the mean of the seeds; the command goes on."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from benchmarks.tuned_epochs import Tuned, divided, main, table
from surrogate_nas.data.folders.twins import pixel_digests
from surrogate_nas.errors import DataError
from tests.nets.pretrained.conftest import known_network


def test_smaller_sets_are_parts_of_larger_ones_and_judges_are_others(photos: Path) -> None:
    small, large = (divided(photos, images, 60, 8) for images in (40, 60))
    digests = {
        name: set(pixel_digests(part.each()))
        for name, part in {"small": small.train, "large": large.train, "judges": small.validation}.items()
    }
    assert (len(small.train), len(small.validation)) == (40, 60)
    assert small.train.labels.bincount().tolist() == [20, 20]
    assert digests["small"] < digests["large"]
    assert not digests["small"] & digests["judges"]
    with pytest.raises(DataError, match="has 160 images, fewer than 120 to train on and 60 more"):
        divided(photos, 120, 60, 8)


def test_the_table_has_means_of_seeds() -> None:
    text = table({60: [Tuned(50.0, 2.0), Tuned(52.0, 4.0)], 30: [Tuned(40.0, 1.0)]})
    assert text.splitlines()[2:] == ["| 30 | 40.0 | 1.0 |", "| 60 | 51.0 | 3.0 |"]


@pytest.mark.slow
def test_the_command_trains_each_length_once(photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_file(known_network("resnet18").state_dict(), tmp_path / "known.safetensors")
    words = ["--data", photos, "--weights", tmp_path / "known.safetensors", "--folder", tmp_path / "kept"]
    words += ["--space", "resnet18", "--images", 40, "--validation", 40, "--side", 32, "--epochs", 1]
    assert main(list(map(str, words))) == 0
    assert "| 1 | " in capsys.readouterr().out
    stamp = (tmp_path / "kept" / "tuned.json").stat().st_mtime_ns
    assert main(list(map(str, words))) == 0
    assert (tmp_path / "kept" / "tuned.json").stat().st_mtime_ns == stamp
    assert torch.get_num_threads() == 1
