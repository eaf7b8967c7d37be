"""A bench goes to a device and its results come back, whatever happens in between."""

import csv
import getpass
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from surrogate_nas.errors import MeasurementError, SettingsError
from surrogate_nas.hardware.transfer.device_loop import DeviceOptions, measure_there
from surrogate_nas.hardware.transfer.device_results import read_results
from surrogate_nas.hardware.transfer.remote import choose_to_measure, export_bench
from surrogate_nas.hardware.transfer.secure_shell import SecureShell
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.space import Space
from tests.hardware.transfer.fake_device import FakeDevice

pytestmark = pytest.mark.posix
QUICK = DeviceOptions("board", sys.executable, seconds=0.001, attempts=1)
SIZES = NetworkSpec(2, 1, 4, 1, 3)


@pytest.fixture(scope="module")
def exported(space: Space, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns a bench of 22 models, two more than are measured in turns."""
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    folder = tmp_path_factory.mktemp("exported") / "bench"
    export_bench(space, SIZES, folder, choose_to_measure(space, 22), batch=1)
    return folder


@pytest.fixture
def bench(exported: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(exported, tmp_path / "bench"))


@pytest.fixture
def device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeDevice:
    folder = tmp_path / "device"
    folder.mkdir()
    return FakeDevice(folder, monkeypatch)


def test_a_device_that_goes_away_keeps_what_it_measured(
    space: Space, bench: Path, device: FakeDevice, tmp_path: Path
) -> None:
    shell, lines = SecureShell("pi@board"), list[str]()
    device.leaves_at_the_next_line(True)
    with pytest.raises(MeasurementError, match=r"pi@board went away \(Connection .*\); it keeps what it measured: run"):
        measure_there(bench, shell, QUICK, lines.append)
    assert lines[0] == "20 of 22 models measured"
    assert not (bench / "results-board.csv").exists()
    (kept,) = device.home.glob("surrogate_nas_bench/*/*.part")
    with kept.open(newline="") as file:
        before = {row["code"]: row["median_ms"] for row in csv.DictReader(file)}
    device.leaves_at_the_next_line(False)
    del lines[:]
    results = measure_there(bench, shell, QUICK, lines.append)
    assert lines == ["20 of 22 models were measured before", "22 of 22 models measured"]
    assert sum("tar" in command for command in device.commands) == 1
    with results.open(newline="") as file:
        after = {row["code"]: row["median_ms"] for row in csv.DictReader(file)}
    assert len(before) == 20
    assert after.items() >= before.items()
    measured = read_results(results, space, fewest=0)
    assert (measured.device, measured.facts["network"]) == ("board", SIZES.described())
    # Nothing is measured again, here or there.
    asked = len(device.commands)
    assert measure_there(bench, shell, QUICK) == results
    assert len(device.commands) == asked
    results.rename(tmp_path / "results.csv")
    measure_there(bench, shell, QUICK)
    assert results.read_bytes() == (tmp_path / "results.csv").read_bytes()
    measure_there(bench, shell, QUICK, again=True)
    assert results.read_bytes() != (tmp_path / "results.csv").read_bytes()
    with pytest.raises(SettingsError, match="holds results with threads 1, not 2; --again replaces them"):
        measure_there(bench, shell, DeviceOptions("board", threads=2))


def test_measuring_again_begins_once_and_goes_on_after_a_stop(bench: Path, device: FakeDevice) -> None:
    shell, lines = SecureShell("pi@board"), list[str]()
    device.leaves_at_the_next_line(True)
    with pytest.raises(MeasurementError, match="went away"):
        measure_there(bench, shell, QUICK)
    with pytest.raises(MeasurementError, match="went away"):
        measure_there(bench, shell, QUICK, lines.append, again=True)
    assert lines[0] == "20 of 22 models measured"  # not with the 20 of before
    device.leaves_at_the_next_line(False)
    del lines[:]
    results = measure_there(bench, shell, QUICK, lines.append, again=True)
    assert lines == ["20 of 22 models were measured before", "22 of 22 models measured"]
    assert [path.name for path in bench.glob(".again*")] == []
    asked = len(device.commands)
    assert measure_there(bench, shell, QUICK, lines.append) == results
    assert len(device.commands) == asked
    assert lines[2:] == [f"{results} has the results already; --again measures again"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (DeviceOptions("board", "no-python"), "pi@board has no no-python; name its Python with --python"),
        (DeviceOptions("board", "~/no-python"), "pi@board has no ~/no-python"),
        (
            DeviceOptions("board", sys.executable, provider="NoProvider"),
            "the measurement on pi@board failed: no provider NoProvider; there are",
        ),
    ],
)
def test_what_the_device_cannot_do_is_one_line(
    bench: Path, device: FakeDevice, options: DeviceOptions, message: str
) -> None:
    with pytest.raises(MeasurementError, match=message):
        measure_there(bench, SecureShell("pi@board"), options)
    assert device.commands


def test_a_device_that_is_not_there_is_one_line(bench: Path, device: FakeDevice) -> None:
    device.is_gone(True)
    with pytest.raises(MeasurementError, match="pi@board cannot be reached: Connection to device closed"):
        measure_there(bench, SecureShell("pi@board"), QUICK)


def test_the_device_runs_the_program_of_this_package(space: Space, bench: Path, device: FakeDevice) -> None:
    (bench / "measure.py").write_text("open('PWNED', 'w')\n")
    (bench / "numpy.py").write_text("open('PWNED', 'w')\n")
    results = measure_there(bench, SecureShell("pi@board"), QUICK)
    assert len(read_results(results, space, fewest=0).codes) > 0
    assert not list(device.home.rglob("PWNED"))
    assert not list(device.home.rglob("measure.py"))


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Starts the system's ssh server on loopback, which ``ssh`` reaches as ``loopback``; gives its process."""
    program = shutil.which("sshd") or shutil.which("sshd", path="/usr/sbin")
    if program is None:
        pytest.skip("needs sshd, the OpenSSH server")
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / name], check=True)
    (tmp_path / "keys").write_text((tmp_path / "user.pub").read_text())
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    home = tmp_path / "home"
    home.mkdir()
    (tmp_path / "sshd_config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {tmp_path}/host\nAuthorizedKeysFile {tmp_path}/keys\n"
        f"PidFile none\nStrictModes no\nPasswordAuthentication no\nSetEnv HOME={home}\n"
        f'ForceCommand cd {home} && sh -c "$SSH_ORIGINAL_COMMAND"\n'
    )
    (tmp_path / "ssh_config").write_text(
        f"Host loopback\n HostName 127.0.0.1\n Port {port}\n User {getpass.getuser()}\n IdentityFile {tmp_path}/user\n"
        f" UserKnownHostsFile {tmp_path}/known\n StrictHostKeyChecking no\n LogLevel ERROR\n"
    )
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "ssh").write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {tmp_path}/ssh_config "$@"\n')
    (tmp_path / "bin" / "ssh").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    process = subprocess.Popen([program, "-D", "-e", "-f", tmp_path / "sshd_config"])
    time.sleep(1)
    yield process.pid
    process.terminate()
    process.wait()


@pytest.mark.slow
def test_over_a_real_connection_that_breaks(space: Space, bench: Path, server: int) -> None:
    shell, lines = SecureShell("loopback"), list[str]()

    def end_sessions(line: str) -> None:
        lines.append(line)
        if line == "20 of 22 models measured":
            for session in Path(f"/proc/{server}/task/{server}/children").read_text().split():
                os.kill(int(session), signal.SIGKILL)

    with pytest.raises(MeasurementError, match=r"loopback went away .* run the same command to go on"):
        measure_there(bench, shell, QUICK, end_sessions)
    del lines[:]
    results = measure_there(bench, shell, QUICK, lines.append)
    assert lines[0].endswith("models were measured before")
    measured = read_results(results, space, fewest=0)
    assert len(measured.codes) + measured.noisy == 22
