"""Images, latencies and ground truth out of files."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from surrogate_nas.space.load import load_space
from tests.study.command_words import error_line, write_table

RunHere = Callable[..., tuple[int, str, str]]


@pytest.mark.slow
def test_images_of_mixed_modes_and_sizes_work(
    tiny: Path, faster: tuple[str, ...], mixed_images: Path, tmp_path: Path, here: RunHere
) -> None:
    images, folder = Path(shutil.copytree(mixed_images, tmp_path / "images")), tmp_path / "run"
    words = ("--output-dir", folder, *faster, "--params-budget", "40%")
    code, _, errors = here(tiny, *words, "--data", images)
    assert code == 0
    assert "images: 60 of 120 images were resized to 8x8" in errors
    assert "images: 40 of 120 images were converted to colour" in errors
    # The same images elsewhere are the same images; others at the same place are not.
    moved = Path(shutil.copytree(images, tmp_path / "moved"))
    assert here("--output-dir", folder, "--resume", "--quiet", "--data", moved)[0] == 0
    victim = next((moved / "dark").iterdir())
    Image.new("RGB", (8, 8), "red").save(victim)
    code, _, errors = here("--output-dir", folder, "--resume", "--quiet")
    assert code == 2
    assert f"was started with other images (data) than are in {moved} now" in error_line(errors)
    shutil.rmtree(moved)
    code, _, errors = here("--output-dir", folder, "--resume", "--quiet")
    assert code == 0
    gone, few = errors.splitlines()
    assert gone == f"warning: data.path: {moved} is gone; the images kept in the run folder are used"
    assert "a label will rest on 40 validation images only" in few


@pytest.mark.slow
def test_another_device_and_ground_truth_come_from_files(
    tiny: Path, faster: tuple[str, ...], tmp_path: Path, here: RunHere
) -> None:
    table, folder = write_table(tmp_path / "table.csv", list), tmp_path / "run"
    truth = write_table(tmp_path / "truth.csv", list)
    words = ("--latency-table", table, "--device", "board", "--latency-budget", "9ms", "--truth", truth)
    code, out, _ = here(tiny, *words, "--output-dir", folder, *faster)
    assert code == 0
    assert "\ntruth " in out
    assert "(board)" in out
    best = json.loads((folder / "best" / "architecture.json").read_text(encoding="utf-8"))
    assert best["measured_latency_ms"] is None
    position = int(load_space("nasbench201").index(load_space("nasbench201").parse(best["code"])[None])[0])
    assert best["costs"]["latency_ms"] == pytest.approx(1 + position / 1000)
    assert best["costs"]["latency_ms"] <= 9
    # Neither the table's place nor the truth is part of what was trained and labelled.
    moved = table.rename(tmp_path / "moved.csv")
    again = ("--output-dir", folder, "--resume", "--latency-table", moved, "--truth", "none", "--quiet")
    code, out, _ = here(*again)
    assert code == 0
    assert "Against ground truth" not in out
    write_table(moved, lambda rows: [row.replace(",1.", ",2.") for row in rows])
    code, _, errors = here(*again)
    assert code == 2
    assert "started with other latencies than hardware.latency_table has now" in error_line(errors)


@pytest.mark.slow
def test_images_that_stay_on_the_disk_give_the_same_answer(
    tiny: Path, faster: tuple[str, ...], mixed_images: Path, tmp_path: Path, here: RunHere
) -> None:
    words = (*faster, "--params-budget", "40%", "--data", mixed_images)
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    assert here(tiny, *words, "--output-dir", inside)[0] == 0
    code, _, errors = here(tiny, *words, "--output-dir", outside, "--set", "data.memory_gb=1e-6")
    assert code == 0
    assert "more than data.memory_gb = 1e-06: they stay on the disk, and every step reads its batch" in errors
    assert (outside / "lookup.csv").read_bytes() == (inside / "lookup.csv").read_bytes()
    for path in (inside / "images").glob("*.npy"):
        assert (outside / "images" / path.name).read_bytes() == path.read_bytes()
    # Memory may have room again later: what is there is taken as it is.
    assert here("--output-dir", outside, "--resume", "--quiet", "--set", "data.memory_gb=4")[0] == 0
