"""Ways to label cost what they say, the images that judge are others, and the whole comparison runs."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import save_file

from benchmarks.fold_labels import arms, divided, drawn, main, table
from surrogate_nas.data.folders.twins import pixel_digests
from surrogate_nas.errors import DataError
from surrogate_nas.space.load import load_space
from tests.nets.pretrained.conftest import known_network


def test_ways_cost_one_supernet_or_as_many_as_folds() -> None:
    costs = [arm.replicas * arm.folds * arm.steps for arm in arms(150, 3)]
    assert costs == [0, 150, 150, 450, 450, 450, 150]


def test_judges_are_other_images_of_the_same_classes(photos: Path) -> None:
    splits, others = divided(photos, 2, 30, 20, 8, seed=1)
    parts = (splits.train, splits.validation, splits.recalibration)
    mine = {digest for part in parts for digest in pixel_digests(part.each())}
    assert sum(map(len, parts)) == 60
    assert others.labels.bincount().tolist() == [20, 20]
    assert not mine & set(pixel_digests(others.each()))
    with pytest.raises(DataError, match="has 80 images, fewer than asked for"):
        divided(photos, 2, 70, 20, 8, seed=1)


def test_drawn_architectures_use_most_of_the_budget() -> None:
    space = load_space("efficientnet_lite0")
    codes = drawn(space, space.network, 2e8, 20)
    flops = space.flops(codes, space.network)
    assert len(codes) == 20
    assert flops.min() >= 1e8
    assert flops.max() <= 2e8


def test_the_table_has_loss_first() -> None:
    taus, counted = np.array([[[0.25, 0.5]], [[0.35, 0.5]]]), np.array([[0.1, 0.2], [0.1, 0.2]])
    lines = table(arms(9, 3)[1:2], taus, counted).splitlines()
    assert lines[2].startswith("| validation images alone | 9 | 0.500 (0.500 to 0.500) | 0.300 (")
    assert lines[3].startswith("| the number of parameters alone | 0 | 0.100 (")


@pytest.mark.slow
def test_the_whole_comparison(photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_file(known_network("mobilenet_v2").state_dict(), tmp_path / "known.safetensors")
    study = tmp_path / "small.toml"
    study.write_text(
        'space = "mobilenet_v2"\n[supernet]\npreset = "spos"\nweights = "nested"\nchannels = 24\nbatch_size = 8\n'
    )
    words = ["--data", photos, "--weights", tmp_path / "known.safetensors", "--folder", tmp_path / "kept"]
    words += ["--study", study, "--classes", 2, "--per-class", 15, "--judged", 10, "--side", 32, "--steps", 3]
    words += ["--count", 10, "--epochs", 1]
    assert main(list(map(str, words))) == 0
    out = capsys.readouterr().out
    assert "| 3 folds | 9 | " in out
    assert "| judged on the other images | 3 | " in out
