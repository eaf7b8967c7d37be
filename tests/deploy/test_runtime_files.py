"""Files of runtimes are run on every test image; one that fails leaves the others."""

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from surrogate_nas import train_model
from surrogate_nas.data.final_images import FinalImages
from surrogate_nas.data.images import ImageSet
from surrogate_nas.deploy.runtime_files import write_runtime_files
from surrogate_nas.errors import ExportError, SettingsError, WriteError
from surrogate_nas.export.runtimes.protocol import Score, Source
from surrogate_nas.export.runtimes.table import EXPORTS, RUNTIME_FILES, ExportRow
from surrogate_nas.hardware.settings import HardwareSettings, TimingSettings

Train = Callable[..., tuple[int, str, str]]
QUICK = HardwareSettings(batch=4, timing=TimingSettings(seconds=0.005, min_repeats=3, attempts=1))
TESTED = 10  # two whole batches and a half


class Fake:
    """A runtime whose files hold nothing, and which computes what a function makes of torch's scores."""

    def __init__(self, change: Callable[[Any], Any]) -> None:
        self._change = change
        self.batches: list[tuple[int, ...]] = []

    def __call__(self) -> "Fake":
        return self

    def write(self, files: Sequence[Path], source: Source, precision: str) -> None:
        self._network = source.network
        for file in files:
            file.write_bytes(precision.encode())

    def open(self, file: Path, batch: int, threads: int) -> Score:  # noqa: ARG002
        def score(images: Any) -> Any:  # noqa: ANN401
            self.batches.append(images.shape)
            with torch.no_grad():
                return self._change(self._network(torch.from_numpy(images)).numpy())

        return score


class Broken(Fake):
    def write(self, files: Sequence[Path], source: Source, precision: str) -> None:  # noqa: ARG002
        raise self._change(None)


def fakes(monkeypatch: pytest.MonkeyPatch, **runtimes: Fake) -> None:
    for name, runtime in runtimes.items():
        monkeypatch.setitem(EXPORTS, name, ExportRow(name.title(), "json", (name, "weights"), runtime))


@pytest.fixture
def images() -> FinalImages:
    pixels = torch.arange(TESTED, dtype=torch.uint8)[:, None, None, None].repeat(1, 1, 2, 2) * 20
    labels = torch.tensor([0] * 3 + [1] * (TESTED - 3))
    part = ImageSet(pixels, labels, ("dark", "light"))
    return FinalImages.of(part, part, "own", ())


@pytest.fixture
def source(images: FinalImages) -> Source:
    """Returns a network that calls an image dark where it is darker than the mean."""
    layer = nn.Linear(4, 2)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[-1.0] * 4, [1.0] * 4]))
        layer.bias.zero_()
    network = nn.Sequential(nn.Flatten(), layer)
    paths = {"float": Path("model.onnx"), "int8": Path("model.int8.onnx")}
    return Source(network.eval(), paths, images.normalise(images.train.images[:]), {}, QUICK.batch)


def test_every_test_image_counts(
    source: Source, images: FinalImages, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = Fake(lambda scores: scores + np.float32(0.25))
    fakes(monkeypatch, good=good)
    made = write_runtime_files(["good"], tmp_path, source, images, QUICK)
    one = made.variants["good"]["float"]
    # 0 to 4 are dark to the network, 0 to 2 in truth.
    assert (one.accuracy.percent, one.accuracy.images) == (80, TESTED)
    assert (one.agreement.images, one.agreement.equal_predictions) == (TESTED, TESTED)
    assert one.agreement.largest_difference == pytest.approx(0.25, abs=1e-5)
    assert (one.file, one.size_bytes) == ("model.good", 2 * len("float"))
    assert made.variants["good"]["int8"].file == "model.int8.good"
    assert set(good.batches) == {(4, 1, 2, 2)}
    assert one.latency.median_ms > 0
    assert made.failures == {}


def test_one_that_fails_says_why_and_leaves_the_others(
    source: Source, images: FinalImages, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fakes(
        monkeypatch,
        good=Fake(lambda scores: scores),
        other=Fake(lambda scores: -scores),
        broken=Broken(lambda _: RuntimeError("no operation\n'Grid'")),
    )
    module = "surrogate_nas.deploy.runtime_files.RUNTIME_FILES"
    stale = ("model.broken", "model.other", "model.weights", "model.old")
    monkeypatch.setattr(module, (*RUNTIME_FILES, *stale))
    for name in stale:
        (tmp_path / name).write_bytes(b"of another training")
    (tmp_path / "own.txt").write_bytes(b"")
    made = write_runtime_files(["broken", "good", "other"], tmp_path, source, images, QUICK)
    assert list(made.variants) == ["good", "other"]
    assert list(made.variants["other"]) == ["int8"]  # eight bits may differ; the figures show it
    assert made.failures == {
        "broken": "no operation 'Grid'",
        "broken int8": "no operation 'Grid'",
        "other": "it gives 10 of 10 test images another class than torch does",
    }
    assert made.complaints()[0] == "not exported to broken: no operation 'Grid'; all other files are there"
    names = {path.name for path in tmp_path.iterdir()}
    assert {"own.txt", "model.good", "model.weights", "model.int8.other"} <= names
    assert not names & {"model.broken", "model.other", "model.old"}


def test_one_that_refuses_a_part_names_it(
    source: Source, images: FinalImages, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Flat(Fake):
        def write(self, files: Sequence[Path], source: Source, precision: str) -> None:
            if any(isinstance(part, nn.Flatten) for part in source.network.modules()):
                raise RuntimeError("no kernel for it")
            super().write(files, source, precision)

    fakes(monkeypatch, flat=Flat(lambda scores: scores))
    source = replace(source, network=nn.Sequential(nn.Identity(), *source.network.children()))
    made = write_runtime_files(["flat"], tmp_path, source, images, QUICK)
    said = "Flat cannot take Flatten in layer 2 (no kernel for it): search without it, or choose another runtime"
    assert made.failures == {"flat": said, "flat int8": said}


def test_a_full_disk_ends_the_export(
    source: Source, images: FinalImages, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fakes(monkeypatch, full=Broken(lambda _: WriteError("no room")))
    with pytest.raises(WriteError, match="no room"):
        write_runtime_files(["full"], tmp_path, source, images, QUICK)


@pytest.mark.slow
def test_the_command_exports_again_and_says_what_failed(
    trained_run: Path, train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Path(shutil.copytree(trained_run, tmp_path / "run"))
    broken = Broken(lambda _: RuntimeError("no operation 'Grid'"))
    fakes(monkeypatch, good=Fake(lambda scores: scores), broken=broken)
    code, out, err = train(run, "--epochs", "8", "--resume", "--quiet", "--export", "onnx,good,broken")
    assert code == ExportError.exit_code
    assert "error: not exported to broken: no operation 'Grid'" in err
    assert "Good float" in out
    results = json.loads((run / "best" / "model.json").read_text())["results"]
    assert list(results["runtimes"]) == ["good"]
    assert results["runtimes"]["good"]["float"]["accuracy"] == results["test"]
    assert results["not_exported"] == {"broken": "no operation 'Grid'"}
    card = (run / "best" / "model-card.md").read_text()
    assert "- `model.good` against torch on 1,497 test images" in card
    assert "measured in Good on this machine's CPU" in card
    assert "`model.good` and `model.weights` (Good)" in card
    assert "- Not exported to broken: no operation 'Grid'" in card
    assert not (run / "best" / "model.int8.onnx").exists()
    with pytest.raises(ExportError, match="not exported to broken"):
        train_model(run, epochs=8, resume=True, quiet=True, export="broken")


def test_a_wrong_format_is_refused_before_the_training(finished_run: Path, train: Train) -> None:
    code, _, err = train(finished_run, "--export", "onnx,tensorrt")
    assert (code, err.strip().count("\n")) == (2, 0)
    assert "--export takes onnx, pt2, openvino" in err
    with pytest.raises(SettingsError, match="got 'tensorrt'"):
        train_model(finished_run, export="tensorrt")
    assert not (finished_run / "models").exists()
