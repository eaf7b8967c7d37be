"""Several devices measure one bench: shares, their reference, and devices that go away."""

import csv
import errno
import os
import re
import shutil
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from surrogate_nas.errors import MeasurementError, SettingsError
from surrogate_nas.hardware.transfer.device_loop import DeviceOptions
from surrogate_nas.hardware.transfer.device_results import read_results
from surrogate_nas.hardware.transfer.farm import measure_on_all
from surrogate_nas.hardware.transfer.remote import choose_to_measure, export_bench
from surrogate_nas.hardware.transfer.secure_shell import SecureShell
from surrogate_nas.space.load import load_space
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.space import Space
from tests.hardware.transfer.fake_device import FakeDevice
from tests.hardware.transfer.made_results import made_bench

pytestmark = pytest.mark.posix
HOSTS = ("pi@one", "pi@two")
# A Python that measures nothing: latencies follow from the size of the model and the pace of the device.
PACED = """\
#!{python}
import csv, json, os, sys, time
words = dict(zip(sys.argv[3::2], sys.argv[4::2]))
home = os.environ["HOME"]
def facts(name, usual):
    path = os.path.join(home, name)
    return open(path).read() if os.path.exists(path) else usual
while os.path.exists(os.path.join(home, "waits")):
    time.sleep(0.01)
manifest = json.load(open("manifest.json"))
rows = []
for place, code in enumerate(manifest["models"]):
    size = os.path.getsize(manifest["models"][code])
    rows.append(dict(
        code=code, median_ms=size * float(facts("pace", "1")), iqr_ms=0.1, repeats=15, disturbed=0,
        noisy=str(place == 0 and facts("noisy", "") == "yes"), again_ms="", device=words["--device"],
        batch=manifest["input_shape"][0], threads=1, provider="CPUExecutionProvider",
        runtime="onnxruntime " + facts("runtime", "1.20"), measured_at="2026-11-27T00:00:00+00:00",
        space=manifest["space_fingerprint"], network=json.dumps(manifest["network"]),
    ))
print(len(rows), "models measured", file=sys.stderr, flush=True)
time.sleep(0.1)
with open(words["--output"], "w", newline="") as file:
    writer = csv.DictWriter(file, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
"""


@pytest.fixture
def device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeDevice:
    folder = tmp_path / "device"
    folder.mkdir()
    return FakeDevice(folder, monkeypatch)


@pytest.fixture
def homes(device: FakeDevice) -> dict[str, Path]:
    return device.is_many(*HOSTS)


@pytest.fixture
def options(tmp_path: Path) -> DeviceOptions:
    program = tmp_path / "paced"
    program.write_text(PACED.format(python=sys.executable))
    program.chmod(0o755)
    return DeviceOptions("board", str(program))


@pytest.fixture(scope="module")
def small() -> Space:
    return load_space("quick")


@pytest.fixture
def bench(small: Space, tmp_path: Path) -> Path:
    """Returns a bench of 48 models of different sizes: three shares of a reference and 19, 19 and 9 others."""
    codes = small.digits(small.all_codes()[:48])
    folder = made_bench(tmp_path / "bench", small.fingerprint, codes)
    for position, path in enumerate(sorted(folder.glob("*.onnx"))):
        path.write_bytes(bytes(100 + position))
    return folder


def measure(bench: Path, options: DeviceOptions, *, again: bool = False) -> tuple[Path, list[str]]:
    lines = list[str]()
    return measure_on_all(bench, [SecureShell(host) for host in HOSTS], options, lines.append, again=again), lines


def medians(results: Path) -> dict[str, float]:
    with results.open(newline="") as file:
        return {row["code"]: float(row["median_ms"]) for row in csv.DictReader(file)}


def test_shares_are_joined_by_their_reference(
    small: Space, bench: Path, homes: dict[str, Path], options: DeviceOptions
) -> None:
    (homes["pi@two"] / "pace").write_text("1.2")
    results, lines = measure(bench, options)
    assert results == bench / "results-board.csv"
    found = medians(results)
    assert len(found) == 48
    # Whatever device measured a row, its relation to all others is the one of the sizes.
    sizes = {path.stem: path.stat().st_size for path in bench.glob("*.onnx")}
    paces = [found[code] / sizes[code] for code in found]
    assert max(paces) == pytest.approx(min(paces), rel=1e-9)
    assert 1.0 <= paces[0] <= 1.2
    read = read_results(results, small, fewest=40)
    assert (read.device, read.noisy, len(read.codes)) == ("board", 0, 48)
    assert read.drift == pytest.approx(0.2, abs=0.04)  # between the two devices
    assert {line.split(":")[0] for line in lines[:-1]} == set(HOSTS)
    assert lines[-1].startswith("shares measured: pi@")
    assert lines[-1].endswith("the slowest device takes 20.0% longer than the fastest")
    assert not list(bench.glob(".shares*"))
    assert measure(bench, options) == (results, [f"{results} has the results already; --again measures again"])
    with pytest.raises(SettingsError, match="holds results with threads 1, not 2; --again replaces them"):
        measure(bench, replace(options, threads=2))
    (homes["pi@two"] / "pace").write_text("1.0")
    measure(bench, options, again=True)
    assert medians(results) == {code: sizes[code] for code in found}


def test_a_device_that_goes_away_hands_its_share_to_the_other(
    bench: Path, homes: dict[str, Path], options: DeviceOptions
) -> None:
    (homes["pi@one"].parent / "lines_left").touch()
    results, lines = measure(bench, options)
    assert len(medians(results)) == 48
    [said] = [line for line in lines if "went away" in line]
    assert said.startswith("pi@one: pi@one went away (Connection to device closed")
    assert said.endswith("; the other devices take its share")
    assert lines[-1].startswith("shares measured: pi@two 3;")


def test_where_all_go_away_the_same_command_goes_on(
    bench: Path, homes: dict[str, Path], options: DeviceOptions
) -> None:
    for home in homes.values():
        (home.parent / "gone").touch()
    with pytest.raises(MeasurementError, match="no device is left, and 3 of 3 shares of the bench are not measured"):
        measure(bench, options)
    # The second one comes back, measures one share, and goes away with the next.
    (homes["pi@two"].parent / "gone").unlink()
    seen = list[str]()

    def leave(line: str) -> None:
        seen.append(line)
        if sum(one.endswith("models measured") for one in seen) == 2:
            (homes["pi@two"].parent / "gone").touch()

    with pytest.raises(MeasurementError, match=r"and [12] of 3 shares .* kept: run the same command to go on"):
        measure_on_all(bench, [SecureShell(host) for host in HOSTS], options, leave)
    assert not (bench / "results-board.csv").exists()
    kept = len(list(bench.glob(".shares-board/*/results-board.csv")))
    assert kept in (1, 2)
    for home in homes.values():
        (home.parent / "gone").unlink()
    results, lines = measure(bench, options)
    assert len(medians(results)) == 48
    # A share that its device had measured already is only fetched.
    assert 1 <= sum(line.endswith("models measured") for line in lines) <= 3 - kept


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("pace", "1.5", r"pi@two takes 1\.50 times as long as pi@one for the same network; .* of one kind and idle"),
        (
            "runtime",
            "1.21",
            r"runtime is onnxruntime 1\.2\d on pi@\w+ and onnxruntime 1\.2\d on pi@\w+; make them equal",
        ),
    ],
)
def test_devices_that_are_not_alike_are_refused(
    bench: Path, homes: dict[str, Path], options: DeviceOptions, name: str, content: str, message: str
) -> None:
    (homes["pi@two"] / name).write_text(content)
    with pytest.raises(MeasurementError, match=message):
        measure(bench, options)
    assert not (bench / "results-board.csv").exists()


def test_rows_of_a_noisy_reference_are_noisy(
    small: Space, bench: Path, homes: dict[str, Path], options: DeviceOptions
) -> None:
    (homes["pi@two"] / "noisy").write_text("yes")
    (homes["pi@one"].parent / "gone").touch()
    results, _ = measure(bench, options)
    with pytest.raises(MeasurementError, match="48 of 48 measurements never settled"):
        read_results(results, small)


def test_a_device_that_is_named_twice_or_a_folder_that_is_no_bench_is_refused(
    bench: Path, homes: dict[str, Path], options: DeviceOptions
) -> None:
    shells = [SecureShell("pi@one")] * 2
    with pytest.raises(SettingsError, match="pi@one is named twice; name each device once"):
        measure_on_all(bench, shells, options, print)
    (bench / "manifest.json").unlink()
    with pytest.raises(SettingsError, match="is not a bench"):
        measure(bench, options)


@pytest.mark.quick_cases(1)
@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        pytest.param(r"(?s)\n.*", "\n", "there are no rows below the header", marks=pytest.mark.slow),
        (r"(?s)^.*", "", "is empty"),
        (r"(?m)^(\w+),\d+\.0,", r"\1,x,", r"line 2, column median_ms: a latency .* \(got 'x'\)"),
        pytest.param(r"(?m)^(\w+),\d+\.0,", r"\1,0,", r"\(got '0'\)", marks=pytest.mark.slow),
        pytest.param(r"(?m)^(\w+),\d+\.0,", r"\1,nan,", r"\(got 'nan'\)", marks=pytest.mark.slow),
        pytest.param(
            r",0\.1,", ",wide,", r"line 2, column iqr_ms: 'wide' is no range of milliseconds", marks=pytest.mark.slow
        ),
        (r"\Z", "1,2\n", "a row needs"),
        (r"(?s)\n\w+,.*?\n", "\n", "and not one of each of the (20|10) models that were measured"),
    ],
)
def test_a_damaged_share_is_named_with_the_way_on(
    bench: Path, homes: dict[str, Path], options: DeviceOptions, before: str, after: str, message: str
) -> None:
    (homes["pi@two"] / "pace").write_text("2")  # so that the shares are kept
    with pytest.raises(MeasurementError, match="of one kind"):
        measure(bench, options)
    share = min(bench.glob(".shares-board/*/results-board.csv"))
    text = share.read_bytes().decode().replace("\r\n", "\n")
    share.write_text(re.sub(before, after, text, count=1))
    with pytest.raises(MeasurementError, match=rf"a share .* is damaged: .*{message}.*; --again measures all"):
        measure(bench, options)
    (homes["pi@two"] / "pace").write_text("1")
    assert len(medians(measure(bench, options, again=True)[0])) == 48


def test_a_disk_that_cannot_wait_for_its_content_is_no_error(
    bench: Path, homes: dict[str, Path], options: DeviceOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_handle: int) -> None:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))

    monkeypatch.setattr(os, "fsync", refuse)
    assert len(medians(measure(bench, options)[0])) == 48


@pytest.mark.parametrize("again", [False, True])
def test_shares_are_not_written_through_links(
    bench: Path, homes: dict[str, Path], options: DeviceOptions, tmp_path: Path, again: bool
) -> None:
    other, place = tmp_path / "other", bench / ".shares-board"
    other.mkdir()
    place.symlink_to(other)
    with pytest.raises(SettingsError, match=r"\.shares-board is a link, through which no share .* written; remove it"):
        measure(bench, options, again=again)
    place.unlink()
    (place / "share").mkdir(parents=True)
    (place / "share" / "01.onnx").symlink_to(other / "file")
    with pytest.raises(SettingsError, match=r"01\.onnx is a link"):
        measure(bench, options, again=again)
    assert not list(other.iterdir())
    shutil.rmtree(place)
    place.touch()
    with pytest.raises(SettingsError, match=r"\.shares-board must be a folder"):
        measure(bench, options, again=again)


@pytest.mark.slow
def test_real_networks_on_two_devices_agree_with_one(tmp_path: Path, homes: dict[str, Path]) -> None:
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    space = load_space("nasbench201")
    bench = tmp_path / "real"
    export_bench(space, NetworkSpec(8, 1, 16, 3, 10), bench, choose_to_measure(space, 40), batch=1)
    options = DeviceOptions("board", sys.executable, seconds=0.01)
    begun = time.monotonic()
    results, _ = measure(bench, options)
    assert time.monotonic() - begun < 300
    together = read_results(results, space, fewest=20)
    shutil.move(results, tmp_path / "together.csv")
    alone = read_results(measure_on_all(bench, [SecureShell("pi@one")], options, print), space, fewest=20)
    known = {tuple(code): ms for code, ms in zip(alone.codes.tolist(), alone.median_ms.tolist(), strict=True)}
    ratios = [
        ms / known[tuple(code)]
        for code, ms in zip(together.codes.tolist(), together.median_ms.tolist(), strict=True)
        if tuple(code) in known
    ]
    assert sorted(ratios)[len(ratios) // 2] == pytest.approx(1, abs=0.5)
