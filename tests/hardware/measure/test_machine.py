"""Devices by name."""

import platform
import re
import subprocess
from pathlib import Path
from unittest.mock import Mock

import pytest
import torch

from surrogate_nas.errors import SettingsError
from surrogate_nas.hardware.measure import machine


@pytest.fixture
def two_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)


@pytest.mark.usefixtures("two_gpus")
def test_names_of_gpus() -> None:
    assert machine.resolve_device("auto") == torch.device("cuda:0")
    assert machine.resolve_device("cuda") == torch.device("cuda:0")
    assert machine.resolve_device("cuda:1") == torch.device("cuda:1")
    with pytest.raises(SettingsError, match=re.escape("cpu, cuda:0, cuda:1 (got 'cuda:2')")):
        machine.resolve_device("cuda:2")


@pytest.mark.usefixtures("no_gpu")
@pytest.mark.parametrize("name", ["tpu", "cuda", "cuda:0", "", "CPU", "cuda:-1", "raspi4"])
def test_a_device_that_is_not_there_is_refused_with_those_that_are(name: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(f"has, cpu (got {name!r})")):
        machine.resolve_device(name)


@pytest.mark.usefixtures("no_gpu")
def test_without_a_gpu_auto_is_the_cpu() -> None:
    assert machine.resolve_device("auto") == machine.resolve_device("cpu") == torch.device("cpu")


def test_the_processor_has_a_name() -> None:
    assert machine.machine_name(torch.device("cpu"))


@pytest.mark.usefixtures("no_gpu")
def test_apple_s_gpu_is_a_device_that_auto_leaves_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert machine.devices() == ["cpu", "mps"]
    assert machine.resolve_device("mps") == torch.device("mps")
    assert machine.resolve_device("auto") == torch.device("cpu")
    assert machine.machine_name(torch.device("mps")) == machine.machine_name(torch.device("cpu"))
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(SettingsError, match=re.escape("has, cpu (got 'mps')")):
        machine.resolve_device("mps")


@pytest.fixture
def no_proc(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(machine, "_CPU_INFO", tmp_path / "none")
    monkeypatch.setattr(machine, "_BOARDS", ())


@pytest.mark.usefixtures("no_proc")
def test_the_processor_has_the_name_that_macos_gives_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    monkeypatch.setattr(platform, "processor", lambda: "arm")
    run = Mock(return_value=Mock(stdout="Apple M2\n"))
    monkeypatch.setattr(subprocess, "run", run)
    assert machine.machine_name(torch.device("cpu")) == "Apple M2"
    run.side_effect = FileNotFoundError
    assert machine.machine_name(torch.device("cpu")) == "arm"


@pytest.mark.usefixtures("no_proc")
def test_elsewhere_it_has_the_name_that_python_gives_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "system", lambda: "Windows")
    monkeypatch.setattr(platform, "processor", lambda: "")
    monkeypatch.setattr(platform, "machine", lambda: "AMD64")
    assert machine.machine_name(torch.device("cpu")) == "AMD64"


CORTEX = "processor\t: {}\nBogoMIPS\t: 108.00\nCPU implementer\t: 0x41\nCPU variant\t: 0x4\nCPU part\t: {}\n\n"


@pytest.mark.parametrize(
    ("fields", "board"),
    [
        (
            "Hardware\t: BCM2835\nRevision\t: c03114\nModel\t\t: Raspberry Pi 4 Model B Rev 1.4\n",
            "Raspberry Pi 4 Model B",
        ),
        ("Hardware\t: Rockchip RK3399\n", "Rockchip RK3399"),
        ("", platform.machine()),
    ],
)
def test_a_container_that_hides_the_board_still_shows_it_beside_the_cores(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, fields: str, board: str
) -> None:
    info = tmp_path / "cpuinfo"
    info.write_text(CORTEX.format(0, "0xd08") + CORTEX.format(1, "0xd08") + fields)
    monkeypatch.setattr(machine, "_CPU_INFO", info)
    monkeypatch.setattr(machine, "_BOARDS", (tmp_path / "none",))
    name = machine.machine_name(torch.device("cpu"))
    assert name.startswith(board)
    assert name.endswith(" 0x41/0xd08")


def test_boards_without_a_name_of_their_processor_are_told_apart(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    names: set[str] = set()
    for board, parts in (
        ("Raspberry Pi 4 Model B", ["0xd08"]),
        ("Raspberry Pi 5", ["0xd0b"]),
        ("", ["0xd0b", "0xd05"]),
    ):
        info = tmp_path / f"cpuinfo{len(names)}"
        info.write_text("".join(CORTEX.format(core, part) for core, part in enumerate(parts)))
        model = tmp_path / f"model{len(names)}"
        model.write_bytes(board.encode() + b"\0")
        monkeypatch.setattr(machine, "_CPU_INFO", info)
        monkeypatch.setattr(machine, "_BOARDS", (model, tmp_path / "none"))
        name = machine.machine_name(torch.device("cpu"))
        assert name.startswith(board or platform.machine())
        names.add(name)
    assert "Raspberry Pi 5 0x41/0xd0b" in names
    assert len(names) == 3
