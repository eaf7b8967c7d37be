"""Wrong input costs one line and changes nothing."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.study.command_words import error_line, write_table

RunHere = Callable[..., tuple[int, str, str]]
Contents = Callable[[Path], dict[str, bytes]]


def write_images(folder: Path, classes: int, side: int = 8, count: int = 40) -> Path:
    rng = np.random.default_rng(0)
    for index in range(count):
        place = folder / f"class{index % classes}"
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 255, size=(side, side, 3)).astype(np.uint8)).save(place / f"{index}.png")
    return folder


@pytest.fixture(scope="session")
def wrong(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns a folder of input that is wrong."""
    folder = tmp_path_factory.mktemp("wrong")
    (folder / "empty").mkdir()
    write_images(folder / "one", 1)
    write_images(folder / "ten", 2, side=10)
    write_images(folder / "few", 2, count=20)
    write_images(folder / "broken", 2)
    (folder / "broken" / "class1" / "1.png").write_bytes(b"no image")
    write_images(folder / "twice", 2)
    shutil.copyfile(folder / "twice" / "class0" / "2.png", folder / "twice" / "class1" / "copy.png")
    write_images(folder / "lone", 2, count=20)
    write_images(folder / "lone", 3, count=3)
    write_images(folder / "other" / "train", 2)
    write_images(folder / "other" / "test", 3, count=6)
    write_table(folder / "missing.csv", lambda rows: rows[:-3])
    write_table(folder / "nan.csv", lambda rows: [f"{rows[0][:6]},nan", *rows[1:]])
    write_table(folder / "twice.csv", lambda rows: [*rows, rows[7]])
    (folder / "broken.toml").write_text("a = [", encoding="utf-8")
    (folder / "foreign.csv").write_text("code,accuracy\n0123,50\n", encoding="utf-8")
    return folder


WRONG: dict[str, tuple[list[str], str]] = {
    "study": (["nosuch"], "unknown study 'nosuch'; choose from cifar10, images32, pretrained, quickstart"),
    "study file": (["broken.toml"], "is not valid TOML"),
    "space": (["--set", "space=nosuch"], "unknown space 'nosuch'; choose from darts, digits, efficientnet_lite0,"),
    "space file": (["--set", "space=broken.toml"], "is not valid TOML"),
    "cells of a chain": (
        ["--set", "space=fbnet", "--set", "supernet.cells=2"],
        "supernet.cells does not fit fbnet: a chain has the layers of its definition, so cells must be 1 (got 2)",
    ),
    "setting": (["--set", "supernet.stepz=5"], "unknown setting 'supernet.stepz' on the command line; did you mean"),
    "value": (["--set", "supernet.steps=0"], "supernet.steps: input should be greater than or equal to 1 (got 0)"),
    "assignment": (["--set", "supernet.steps"], "--set takes key=value, such as supernet.steps=5000"),
    "section": (["--set", "supernet=5"], "supernet is a section of settings, not a value (got 5)"),
    "option": (["--frobnicate"], "No such option: --frobnicate"),
    "latency device": (["--device", "tpu"], "or one that this machine has, cpu"),
    "compute device": (["--compute-device", "tpu"], "compute.device must be auto, cpu, cuda[:n] or mps (got 'tpu')"),
    "no such GPU": (["--compute-device", "cuda:99"], "compute.device 'cuda:99' is not on this machine"),
    "budget without unit": (["--latency-budget", "5"], "--latency-budget needs a unit"),
    "budget of another unit": (["--flops-budget", "5ms"], "unknown unit 'ms'"),
    "budget of zero": (["--latency-budget", "0ms"], "above zero (got '0ms')"),
    "negative budget": (["--latency-budget=-1ms"], "above zero (got '-1ms')"),
    "budget over 100%": (["--params-budget", "101%"], "at most 100% (got '101%')"),
    "two budgets on one cost": (
        ["--latency-budget", "5ms", "--latency-budget", "6ms"],
        "--latency-budget bounds the latency more than once",
    ),
    "no folder of images": (["--data", "nowhere"], "the folder of images does not exist"),
    "empty folder": (["--data", "empty"], "has no class sub-folders: expected DIR/<class>/<image>"),
    "one class": (["--data", "one"], "at least 2 classes are needed (got only 'class0'"),
    "unreadable image": (["--data", "broken"], "1 of 40 images cannot be read: class1/1.png"),
    "image in two classes": (["--data", "twice"], "1 image is in two classes: class0/2.png and class1/copy.png"),
    "class of one image": (["--data", "lone"], "'class2' has 1); add images, or remove the class"),
    "test of other classes": (["--data", "other"], "test has 1 class that the training images lack: class2"),
    "size of images": (
        ["--data", "ten"],
        "image_size must be a multiple of 4, since 3 stages halve it 2 times (got 10)",
    ),
    "batch": (["--data", "few"], "too few images: "),
    "missing rows": (["--latency-table", "missing.csv", "--device", "board"], "3 of the 15,625 architectures"),
    "NaN": (["--latency-table", "nan.csv", "--device", "board"], "line 2, column board: a latency must be a finite"),
    "duplicate": (["--latency-table", "twice.csv", "--device", "board"], "appears twice, first in line 9"),
    "column": (["--latency-table", "twice.csv", "--device", "phone"], "unknown device 'phone'; choose from"),
    "truth of another space": (["--truth", "foreign.csv"], "line 2: not an architecture of nasbench201"),
    "truth column": (["--truth-column", "x"], "give --truth FILE.csv as well"),
    "too few labels": (["--set", "labels.count=20"], "labels.count must give at least 20 architectures that differ"),
}


@pytest.mark.quick_cases(12)
@pytest.mark.parametrize("case", WRONG)
def test_wrong_input_is_one_line_and_makes_no_folder(
    case: str, tiny: Path, wrong: Path, tmp_path: Path, here: RunHere, monkeypatch: pytest.MonkeyPatch
) -> None:
    words, message = WRONG[case]
    monkeypatch.chdir(wrong)
    study = [] if case.startswith("study") else [tiny]
    code, out, errors = here(*study, *words, "--output-dir", tmp_path / "deep" / "run")
    assert (code, out) == (2, "")
    assert message in error_line(errors)
    assert not (tmp_path / "deep").exists()


@pytest.mark.quick_cases(12)
@pytest.mark.parametrize("case", [case for case in WRONG if case != "study"])
def test_wrong_input_leaves_a_run_as_it_was(
    case: str,
    tiny: Path,
    wrong: Path,
    finished: Path,
    here: RunHere,
    contents: Contents,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    words, message = WRONG[case]
    monkeypatch.chdir(wrong)
    before = contents(finished)
    study = [] if case.startswith("study") else [tiny]
    for flag in ("--resume", "--overwrite"):
        code, _, errors = here(*study, *words, "--output-dir", finished, flag)
        assert code == 2
        # Resumed, a run refuses another data set or device before it looks at what is wrong with that.
        assert message in error_line(errors) or (flag == "--resume" and "was started with" in errors)
        assert contents(finished) == before
