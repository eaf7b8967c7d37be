"""Weights by name: files of both kinds, packages, and everything that is none of them."""

import pickle
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.error import URLError

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from surrogate_nas.errors import SettingsError
from surrogate_nas.nets.pretrained.weight_sources import check_source, read_source


def test_both_kinds_of_files(tmp_path: Path, mobilenet: nn.Module, mobilenet_file: Path) -> None:
    torch.save(mobilenet.state_dict(), tmp_path / "weights.pth")
    for path in (mobilenet_file, tmp_path / "weights.pth"):
        found = read_source(str(path))
        assert found.keys() == mobilenet.state_dict().keys()
        assert all(torch.equal(found[name], tensor) for name, tensor in mobilenet.state_dict().items())


class Malicious:
    def __reduce__(self) -> tuple[Any, ...]:
        return exec, ("raise SystemExit('unpickled')",)


def test_nothing_but_tensors_is_unpickled(tmp_path: Path) -> None:
    with (tmp_path / "program.pth").open("wb") as file:
        pickle.dump({"weight": Malicious()}, file)
    torch.save(Malicious(), tmp_path / "zip.pth")
    for name in ("program.pth", "zip.pth"):
        with pytest.raises(SettingsError, match=f"{name} is no file of tensors alone, and nothing else is unpickled"):
            read_source(str(tmp_path / name))


@pytest.mark.parametrize("content", [b"x", b"\x80\x02.", b"\x80\x04c", b"(dp0\ns.", b"PK\x03\x04"])
def test_bytes_that_are_no_pickle_are_damage(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.pth").write_bytes(content)
    with pytest.raises(SettingsError, match=r"x\.pth .*(damaged|no file of tensors alone)") as error:
        read_source(str(tmp_path / "x.pth"))
    assert "\n" not in str(error.value)


def test_other_things_than_tensors_are_refused(tmp_path: Path) -> None:
    torch.save({"epoch": 3, "state_dict": {"weight": torch.ones(1)}}, tmp_path / "training.pth")
    with pytest.raises(SettingsError, match=r"training\.pth holds other things than tensors.*state_dict\(\) alone"):
        read_source(str(tmp_path / "training.pth"))


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
@pytest.mark.parametrize("share", [0.0, 0.001, 0.9])
def test_a_file_cut_short(suffix: str, share: float, tmp_path: Path, mobilenet_file: Path) -> None:
    if suffix == ".pth":
        torch.save(load_file(mobilenet_file), tmp_path / "whole.pth")
    whole = (mobilenet_file if suffix == ".safetensors" else tmp_path / "whole.pth").read_bytes()
    path = tmp_path / f"cut{suffix}"
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(SettingsError, match=r"cut\..* (damaged or not complete|no file of tensors alone)") as error:
        read_source(str(path))
    assert "\n" not in str(error.value)


def test_a_file_that_cannot_be_read_is_not_called_damaged(
    mobilenet_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object, **__: object) -> bytes:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("surrogate_nas._support.tensor_files.safe_open", gone)
    monkeypatch.setattr(Path, "read_bytes", gone)
    with pytest.raises(SettingsError, match=r"the weights .*\.safetensors cannot be read: Input/output error"):
        read_source(str(mobilenet_file))


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"no file of weights .*nothing\.pth; give .* torchvision:NAME, timm:NAME"):
        read_source(str(tmp_path / "nothing.pth"))


def test_weights_of_torchvision(monkeypatch: pytest.MonkeyPatch, mobilenet: nn.Module) -> None:
    asked: dict[str, Any] = {}

    def download(url: str, **options: object) -> dict[str, torch.Tensor]:
        asked.update(options, url=url)
        return mobilenet.state_dict()

    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", download)
    assert len(read_source("torchvision:mobilenet_v2")) == len(mobilenet.state_dict())
    assert "mobilenet_v2" in asked["url"]
    assert asked["weights_only"]
    with pytest.raises(SettingsError, match="torchvision has no network 'mobilenet_v9'"):
        read_source("torchvision:mobilenet_v9")


def test_no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    def download(*_: object, **__: object) -> None:
        raise URLError("no route")

    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", download)
    with pytest.raises(SettingsError, match=r"torchvision:resnet18 cannot be downloaded .*no route.*give the file"):
        read_source("torchvision:resnet18")


def test_weights_of_timm(monkeypatch: pytest.MonkeyPatch, mobilenet: nn.Module) -> None:
    timm = SimpleNamespace(is_model=lambda name: name == "known", create_model=lambda *_, **__: mobilenet)
    monkeypatch.setitem(sys.modules, "timm", timm)
    assert len(read_source("timm:known.in1k")) == len(mobilenet.state_dict())
    with pytest.raises(SettingsError, match="timm has no network 'unknown'"):
        read_source("timm:unknown")


def test_timm_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(SettingsError, match="timm is not installed, which weights of timm need; install it with"):
        read_source("timm:efficientnet_lite0")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("nothing.pth", "there is no file of weights nothing"),
        ("torchvision:mobilenet_v9", "torchvision has no network 'mobilenet_v9'"),
        ("timm:efficientnet_lite0", r"pip install 'surrogate_nas\[timm\]'"),
    ],
)
def test_a_wrong_name_is_known_without_a_download(
    source: str, message: str, monkeypatch: pytest.MonkeyPatch, mobilenet_file: Path
) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)
    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", None)
    check_source(str(mobilenet_file))
    check_source("torchvision:mobilenet_v2")
    with pytest.raises(SettingsError, match=message):
        check_source(source)
