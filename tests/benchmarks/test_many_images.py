"""The table has a row for each process, and images on the disk are what they are in memory."""

import re
from pathlib import Path

import pytest

from benchmarks.many_images import main
from surrogate_nas.data.cache import load_splits
from surrogate_nas.data.on_disk.image_file import ImageFile


@pytest.mark.slow
def test_a_small_run_prints_the_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--folder", tmp_path, "--images", 200, "--side", 32, "--steps", 1, "--compared", 100, "--memory-gb", 1e-6]
    assert main([str(word) for word in words]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("|")[1].strip() for line in lines[-4:]] == [
        "read 200 images",
        "1 steps on all of them",
        "1 steps on 100 images, from the memory",
        "1 steps on 100 images, from the disk",
    ]
    assert all(float(re.sub(",", "", line.split("|")[4])) > 50 for line in lines[-4:])
    parts = [load_splits(tmp_path / place).train for place in ("memory", "disk")]
    assert isinstance(parts[1].images, ImageFile)
    assert parts[0].fingerprint() == parts[1].fingerprint()
