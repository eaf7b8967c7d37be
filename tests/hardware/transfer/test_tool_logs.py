"""Latencies in what other programs print."""

from pathlib import Path

import numpy as np
import pytest

from surrogate_nas.errors import CostTableError
from surrogate_nas.hardware.transfer.device_results import read_results
from surrogate_nas.hardware.transfer.remote import choose_to_measure
from surrogate_nas.hardware.transfer.tool_logs import import_logs, read_log
from surrogate_nas.space.space import Space
from tests.hardware.transfer.made_results import SIZES, made_bench

PRINTED = {
    "benchmark_model": "INFO: count=20 first=31500 curr=30900 min=30718 max=36410 avg=31118.1 std=1323\n\n"
    "INFO: Inference timings in us: Init: 21432, First inference: 91020, Warmup (avg): 60125.5, Inference (avg): {us}\n"
    "INFO: Memory footprint delta from the start of the tool (MB): init=2.4 overall=3.1\n",
    "onnxruntime_perf_test": "Session creation time cost: 0.217932 s\nFirst inference time cost: 196 ms\n"
    "Total inference time cost: 6.2 s\nAverage inference time cost total: 99.9 ms\nMin Latency: 0.0529422 s\n"
    "P50 Latency: {s} s\nP90 Latency: 0.08 s\n",
    "trtexec": "[10/31/2025-15:06:14] [I] Latency: min = 0.9 ms, max = 9 ms, mean = 1.5 ms, median = {ms} ms,"
    " percentile(99%) = 8 ms\n"
    "[10/31/2025-15:06:14] [I] H2D Latency: min = 0 ms, max = 0 ms, mean = 0 ms, median = 0 ms\n"
    "[10/31/2025-15:06:14] [I] GPU Compute Time: min = 0.1 ms, max = 0.2 ms, mean = 0.1 ms, median = 0.1 ms\n",
}


def printed(tool: str, ms: float) -> str:
    return PRINTED[tool].format(us=f"{1000 * ms:.6g}", ms=f"{ms:.6g}", s=f"{ms / 1000:.6g}")


@pytest.mark.parametrize("tool", PRINTED)
def test_a_latency_is_found_in_milliseconds(tool: str, tmp_path: Path) -> None:
    path = tmp_path / "0.txt"
    path.write_text(printed(tool, 7.0) + printed(tool, 31.1181))  # an earlier run does not count
    found, ms = read_log(path)
    assert found == tool
    assert ms == pytest.approx(31.1181)


def test_the_mean_is_taken_where_no_median_is_printed(tmp_path: Path) -> None:
    (tmp_path / "0.txt").write_text("Average inference time cost: 62.2935 ms\n")
    assert read_log(tmp_path / "0.txt") == ("onnxruntime_perf_test", 62.2935)


def test_a_folder_of_logs_becomes_results(space: Space, tmp_path: Path) -> None:
    codes = space.digits(choose_to_measure(space, 12))
    bench, logs = made_bench(tmp_path / "bench", space.fingerprint, codes), tmp_path / "logs"
    logs.mkdir()
    for row, code in enumerate(codes[:-1]):
        (logs / f"{code}.txt").write_text(printed("trtexec", 1.0 + row))
    results, missing = import_logs(bench, logs, "orin", threads=2)
    assert missing == codes[-1:]
    measured = read_results(results, space)
    assert measured.device == "orin"
    assert (measured.facts["runtime"], measured.facts["threads"]) == ("trtexec", "2")
    assert measured.facts["network"] == SIZES
    order = np.argsort(space.digits(measured.codes))
    expected = dict(zip(codes, 1.0 + np.arange(12), strict=True))
    assert measured.median_ms[order].tolist() == [expected[code] for code in sorted(codes[:-1])]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (
            "01.txt",
            "Segmentation fault",
            r"01\.txt: no latency of benchmark_model, onnx.* in it",
        ),
        ("01.txt", "Inference timings in us: Inference (avg): 7...25", r"01\.txt: no latency of"),
        ("09.txt", "", r"09\.txt: .*bench has no model '09'; name files after models"),
        ("02.log", "", r"02\.txt: a second file of 02; keep one"),
    ],
)
def test_files_that_say_nothing_are_named(tmp_path: Path, name: str, text: str, message: str) -> None:
    bench = made_bench(tmp_path / "bench", "f", ["01", "02"])
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / name).write_text(text or printed("trtexec", 1.0))
    (tmp_path / "logs" / "02.txt").write_text(printed("trtexec", 1.0))
    with pytest.raises(CostTableError, match=message):
        import_logs(bench, tmp_path / "logs", "pi", threads=1)


def test_an_empty_or_missing_folder_is_refused(tmp_path: Path) -> None:
    bench = made_bench(tmp_path / "bench", "f", ["01"])
    with pytest.raises(CostTableError, match="must be a folder with a file for each model"):
        import_logs(bench, tmp_path / "logs", "pi", threads=1)
    (tmp_path / "logs").mkdir()
    with pytest.raises(CostTableError, match="holds no files"):
        import_logs(bench, tmp_path / "logs", "pi", threads=1)


def test_logs_of_older_shells_of_windows_are_read(tmp_path: Path) -> None:
    (tmp_path / "0.txt").write_text(printed("benchmark_model", 3.0), encoding="utf-16")
    found, ms = read_log(tmp_path / "0.txt")
    assert found == "benchmark_model"
    assert ms == pytest.approx(3.0)


def test_results_of_the_runner_are_not_replaced(tmp_path: Path) -> None:
    bench, logs = made_bench(tmp_path / "bench", "f", ["0", "1"]), tmp_path / "logs"
    logs.mkdir()
    (logs / "0.txt").write_text(printed("trtexec", 3.0))
    results, _ = import_logs(bench, logs, "phone", 1)
    assert import_logs(bench, logs, "phone", 1)[0] == results
    measured = results.read_text().replace("trtexec", "CPUExecutionProvider")
    results.write_text(measured)
    with pytest.raises(CostTableError, match=r"holds what measure\.py measured; remove it, or give the device"):
        import_logs(bench, logs, "phone", 1)
    assert results.read_text() == measured
    assert import_logs(bench, logs, "phone", 1, replace=True)[0] == results
    assert results.read_text() != measured


@pytest.mark.parametrize("device", ["pi_mb", "pi_ram_bytes", "pi_us"])
def test_devices_whose_columns_no_study_reads_are_refused(tmp_path: Path, device: str) -> None:
    bench = made_bench(tmp_path / "bench", "f", ["0"])
    with pytest.raises(CostTableError, match="ends as a column of another cost or unit does"):
        import_logs(bench, tmp_path, device, 1)
