"""A bench goes to an Android device and its results come back, with a program in the place of adb."""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from surrogate_nas.errors import MeasurementError, SettingsError
from surrogate_nas.hardware.transfer import remote_runner
from surrogate_nas.hardware.transfer.android_shell import AndroidShell
from surrogate_nas.hardware.transfer.device_loop import DeviceOptions, measure_there
from surrogate_nas.hardware.transfer.device_results import read_results
from surrogate_nas.hardware.transfer.farm import measure_on_all
from surrogate_nas.hardware.transfer.remote import choose_to_measure
from surrogate_nas.hardware.transfer.secure_shell import Outcome
from surrogate_nas.space.space import Space
from tests.hardware.transfer.fake_android import FakeAndroid
from tests.hardware.transfer.made_results import made_bench

pytestmark = pytest.mark.posix
TOOL = DeviceOptions("phone", tool="/data/local/tmp/onnxruntime_perf_test")


@pytest.fixture
def android(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeAndroid:
    folder = tmp_path / "devices"
    folder.mkdir()
    return FakeAndroid(folder, ("one", "two"), monkeypatch)


@pytest.fixture
def bench(space: Space, tmp_path: Path) -> Path:
    """Returns a bench of 24 models, of sizes that their latencies follow from."""
    codes = space.digits(choose_to_measure(space, 24))
    folder = made_bench(tmp_path / "bench", space.fingerprint, codes)
    for row, code in enumerate(codes):
        (folder / f"{code}.onnx").write_bytes(bytes(2 + row % 5))
    return folder


def test_commands_run_in_the_folder_for_such_work(android: FakeAndroid) -> None:
    shell, lines = AndroidShell("one"), list[str]()
    outcome = shell.run("pwd; echo said >&2; exit 3", lines.append)
    assert outcome.output.decode().strip() == str(android.homes["one"])
    assert (outcome.code, outcome.lost, lines) == (3, False, ["said"])
    absent = AndroidShell("other").run("true")
    assert (absent.lost, absent.last_line) == (True, "adb: device 'other' not found")


def test_a_folder_exists_when_all_files_arrived(android: FakeAndroid, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("aaa")
    (android.homes["one"] / "there.new").mkdir()
    (android.homes["one"] / "there.new" / "half").touch()
    assert AndroidShell("one").send([tmp_path / "a"], "there").code == 0
    assert [path.name for path in (android.homes["one"] / "there").iterdir()] == ["a"]
    assert AndroidShell("one").send([tmp_path / "a"], "a $(touch PWNED) b").code == 0
    assert (android.homes["one"] / "a $(touch PWNED) b" / "a").exists()
    assert not (android.homes["one"] / "PWNED").exists()


def test_a_benchmark_program_measures_and_goes_on_after_a_stop(space: Space, bench: Path, android: FakeAndroid) -> None:
    shell, lines = AndroidShell("one"), list[str]()
    android.leaves_at_the_next_line("one")
    with pytest.raises(MeasurementError, match=r"one went away \(1 of 24 models measured\); it keeps what it measured"):
        measure_there(bench, shell, TOOL, lines.append)
    with pytest.raises(MeasurementError, match="one cannot be reached: adb: device 'one' not found"):
        measure_there(bench, shell, TOOL)
    android.comes_back("one")
    before = android.runs("one")
    assert 1 <= len(before) < 24  # a busy machine notices late that the device has gone
    results = measure_there(bench, shell, TOOL, lines.append)
    assert lines[-1] == "24 of 24 models measured"
    # The first model is not measured twice, and nothing is copied twice.
    assert sum(before[0] == run for run in android.runs("one")) == 1
    assert android.calls.count("one push") == 1
    measured = read_results(results, space)
    assert (measured.device, measured.facts["runtime"], len(measured.codes)) == ("phone", "onnxruntime_perf_test", 24)
    sizes = {digits: (bench / f"{digits}.onnx").stat().st_size for digits in space.digits(measured.codes)}
    assert measured.median_ms.tolist() == pytest.approx([float(size) for size in sizes.values()])
    asked = len(android.calls)
    assert measure_there(bench, shell, TOOL) == results
    assert len(android.calls) == asked
    with pytest.raises(SettingsError, match="holds results with provider onnxruntime_perf_test, not CPUExecutionProv"):
        measure_there(bench, shell, DeviceOptions("phone"))
    measure_there(bench, shell, TOOL, again=True)
    assert sum(before[0] == run for run in android.runs("one")) == 2


def test_an_archive_that_cannot_be_read_is_one_line(
    bench: Path, android: FakeAndroid, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = AndroidShell.run

    def torn(shell: AndroidShell, command: str, on_line: Callable[[str], None] | None = None) -> Outcome:
        outcome = run(shell, command, on_line)
        return replace(outcome, output=b"not an archive") if "tar -c" in command else outcome

    monkeypatch.setattr(AndroidShell, "run", torn)
    with pytest.raises(MeasurementError, match=r"one sent an archive of results that cannot be read \(.*\); run the"):
        measure_there(bench, AndroidShell("one"), TOOL)


def test_several_devices_share_a_bench(space: Space, bench: Path, android: FakeAndroid) -> None:
    lines: list[str] = []
    results = measure_on_all(bench, [AndroidShell("one"), AndroidShell("two")], TOOL, lines.append)
    measured = read_results(results, space)
    assert len(measured.codes) == 24
    runs = [len(android.runs(serial)) for serial in ("one", "two")]
    assert sum(runs) == 25  # the reference in both shares
    with pytest.raises(SettingsError, match="one is named twice; name each device once"):
        measure_on_all(bench, [AndroidShell("one")] * 2, replace(TOOL, device="other"), lines.append)


def test_what_the_device_cannot_do_is_one_line(bench: Path, android: FakeAndroid) -> None:
    shell = AndroidShell("one")
    with pytest.raises(MeasurementError, match=r"one has no /system/bin/python3; name its Python with --python, or"):
        measure_there(bench, shell, DeviceOptions("phone", python="/system/bin/python3"))
    absent = replace(TOOL, tool="/data/local/tmp/bin/onnxruntime_perf_test")
    with pytest.raises(MeasurementError, match=r"one cannot run /data/local/tmp/bin/onnx.*: .*; copy it there, exec"):
        measure_there(bench, shell, absent)
    (android.homes["one"] / "broken").touch()
    with pytest.raises(MeasurementError, match="onnxruntime_perf_test failed on one: cannot load"):
        measure_there(bench, shell, TOOL)


def test_converted_models_are_asked_for(space: Space, bench: Path, android: FakeAndroid) -> None:
    options = DeviceOptions("phone", tool="/data/local/tmp/benchmark_model", threads=3)
    with pytest.raises(SettingsError, match=r"lacks \w+\.tflite; benchmark_model takes \.tflite files: put"):
        measure_there(bench, AndroidShell("one"), options)
    program = android.homes["one"] / "onnxruntime_perf_test"
    program.rename(program.with_name("benchmark_model"))
    for row, path in enumerate(sorted(bench.glob("*.onnx"))):
        path.with_suffix(".tflite").write_bytes(bytes(7 + row % 2))
    measured = read_results(measure_there(bench, AndroidShell("one"), options), space)
    assert set(measured.median_ms.tolist()) == {7.0, 8.0}
    assert "--num_threads=3" in android.runs("one")[0]


def test_python_measures_where_it_exists(
    space: Space, bench: Path, android: FakeAndroid, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The runner is a stub: it writes the one row that it is made to write."""
    monkeypatch.setattr(remote_runner, "__file__", str(tmp_path / "remote_runner.py"))
    header = (
        "code,median_ms,iqr_ms,repeats,disturbed,noisy,again_ms,device,batch,threads,provider,runtime,measured_at,space"
    )
    code = next(iter(sorted(path.stem for path in bench.glob("*.onnx"))))
    row = f"{code},1.5,0,9,0,False,,phone,1,1,CPUExecutionProvider,onnxruntime 1,2026,{space.fingerprint}"
    (tmp_path / "remote_runner.py").write_text(
        "import json, sys\n"
        f"sizes = json.dumps(json.load(open('manifest.json'))['network']).replace('\"', '\"\"')\n"
        f"open(sys.argv[sys.argv.index('--output') + 1], 'w').write('{header},network\\n{row},\"' + sizes + '\"\\n')\n"
    )
    results = measure_there(bench, AndroidShell("one"), DeviceOptions("phone", python=sys.executable))
    assert read_results(results, space, fewest=1).median_ms.tolist() == [1.5]


@pytest.mark.parametrize("serial", ["", "-e", "two words"])
def test_serials_that_adb_would_take_for_options_are_refused(serial: str) -> None:
    with pytest.raises(SettingsError, match="--adb takes a serial number, as adb devices names it"):
        AndroidShell(serial)


def test_a_system_without_adb_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SettingsError, match="adb is not installed here"):
        AndroidShell("one")


def test_only_programs_whose_output_is_read_are_run() -> None:
    with pytest.raises(SettingsError, match="--tool takes the path of onnxruntime_perf_test or benchmark_model on the"):
        DeviceOptions("phone", tool="/data/local/tmp/trtexec")
