"""Commands about other devices."""

from pathlib import Path

import pytest

from surrogate_nas.cli import hardware as command
from surrogate_nas.hardware.transfer import android_shell, device_loop, farm, secure_shell
from surrogate_nas.hardware.transfer.device_results import read_results
from surrogate_nas.space.load import load_space
from tests.hardware.transfer.made_results import made_bench


def test_a_bench_is_measured_over_ssh(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[object] = []

    def measure_there(bench: Path, *given: object, again: bool) -> Path:
        asked.extend([bench, *given, again])
        return bench / "results-board.csv"

    monkeypatch.setattr(secure_shell, "SecureShell", str)
    monkeypatch.setattr(device_loop, "measure_there", measure_there)
    words = ["measure", str(tmp_path), "--ssh", "pi@board", "--device", "board", "--threads", "4", "--again"]
    assert command.main(words) == 0
    assert asked[:3] == [tmp_path, "pi@board", device_loop.DeviceOptions("board", threads=4)]
    assert asked[-1] is True
    assert f"import-bench SPACE {tmp_path / 'results-board.csv'}" in capsys.readouterr().out


def test_android_devices_stand_beside_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[object] = []

    def measure_on_all(bench: Path, *given: object, again: bool) -> Path:
        asked.extend([bench, *given, again])
        return bench / "results-board.csv"

    monkeypatch.setattr(secure_shell, "SecureShell", str)
    monkeypatch.setattr(android_shell, "AndroidShell", str.upper)
    monkeypatch.setattr(farm, "measure_on_all", measure_on_all)
    tool = "/data/local/tmp/onnxruntime_perf_test"
    words = ["measure", str(tmp_path), "--adb", "abc", "--ssh", "pi@one", "--adb", "def", "--device", "board"]
    assert command.main([*words, "--tool", tool]) == 0
    assert asked[1:3] == [["pi@one", "ABC", "DEF"], device_loop.DeviceOptions("board", tool=tool)]
    assert command.main(["measure", str(tmp_path), "--device", "board"]) == 2
    assert "error: name a device: --ssh USER@HOST, or --adb SERIAL" in capsys.readouterr().err


def test_several_devices_share_a_bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def measure_on_all(bench: Path, *given: object, again: bool) -> Path:
        asked.extend([bench, *given, again])
        return bench / "results-board.csv"

    monkeypatch.setattr(secure_shell, "SecureShell", str)
    monkeypatch.setattr(farm, "measure_on_all", measure_on_all)
    words = ["measure", str(tmp_path), "--ssh", "pi@one", "--ssh", "pi@two", "--device", "board"]
    assert command.main(words) == 0
    assert asked[:3] == [tmp_path, ["pi@one", "pi@two"], device_loop.DeviceOptions("board")]
    assert asked[-1] is False


def test_what_another_program_printed_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    space = load_space("quick")
    codes = space.digits(space.all_codes()[:3])
    bench, logs = made_bench(tmp_path / "bench", space.fingerprint, codes), tmp_path / "logs"
    logs.mkdir()
    for row, code in enumerate(codes[:2]):
        (logs / f"{code}.txt").write_text(f"P50 Latency: 0.00{row + 1} s\n")
    assert command.main(["read-logs", str(bench), str(logs), "--device", "pi"]) == 0
    out, err = capsys.readouterr()
    assert f"import-bench SPACE {bench / 'results-pi.csv'}" in out
    assert f"1 model of {bench} without a file, such as {codes[2]}" in err
    measured = read_results(bench / "results-pi.csv", space, fewest=1)
    assert measured.median_ms.tolist() == [1.0, 2.0]
    assert measured.facts["dtype"] == "float32"  # as the bench has it
    words = ["read-logs", str(bench), str(logs), "--device", "pi", "--precision", "int8", "--activations", "signed"]
    assert command.main(words) == 0
    measured = read_results(bench / "results-pi.csv", space, fewest=1)
    assert measured.facts["dtype"] == "int8 with signed activations"
