"""Reads latencies from what benchmark programs of runtimes print, one file for each model of a bench.

A file is named after its model: ``000123.txt`` holds what ``benchmark_model --graph=000123.tflite`` printed.
"""

import codecs
import csv
import io
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from surrogate_nas._support.files import write_text
from surrogate_nas._support.words import shown
from surrogate_nas.costs.number_formats import Numbers
from surrogate_nas.errors import CostTableError
from surrogate_nas.hardware.transfer.bench_folder import read_manifest, results_file
from surrogate_nas.hardware.transfer.device_results import RUNNER, require_name
from surrogate_nas.hardware.transfer.remote_runner import COLUMNS

_NUMBER = r"(\d{1,30}(?:\.\d*)?(?:[eE][+-]?\d{1,3})?)(?![\d.])"


@dataclass(frozen=True)
class Tool:
    """A benchmark program.

    Attributes:
        pattern: Finds its latency of a forward pass: the median where it prints one, else the mean.
        unit_ms: Milliseconds of the unit that it prints.
    """

    pattern: str
    unit_ms: float


TOOLS: dict[str, tuple[Tool, ...]] = {
    "benchmark_model": (Tool(rf"Inference timings in us:.*Inference \(avg\): {_NUMBER}", 1e-3),),
    "onnxruntime_perf_test": (
        Tool(rf"P50 Latency: {_NUMBER} s", 1e3),
        Tool(rf"Average inference time cost(?: total)?: {_NUMBER} ms", 1.0),
    ),
    # Its latency has the copies to the device and back in it, as a forward pass has.
    "trtexec": (Tool(rf"(?m)(?:^|\] )Latency: min = .*\bmedian = {_NUMBER} ms", 1.0),),
}
"""Program to what it prints, the better figure first."""


def import_logs(
    bench: Path, logs: Path, device: str, threads: int, numbers: Numbers | None = None, *, replace: bool = False
) -> tuple[Path, list[str]]:
    """Writes the latencies of a folder of files in the form of the runner's results.

    Args:
        bench: Folder that ``export_bench`` made.
        logs: Folder of files, each named after the code of a model.
        device: Name of the device.
        threads: Threads of a forward pass.
        numbers: What the program's models compute with, where they were converted into others than the bench has.
        replace: Whether results that the runner measured are replaced.

    Returns:
        The file of results, and the codes of models without a file.

    Raises:
        SettingsError: If the folder is not a bench.
        CostTableError: If a file is not of a model, or holds no latency, or other results of the device are there;
            the message names it.
    """
    manifest = read_manifest(bench)
    require_name(bench, device)
    if not logs.is_dir():
        raise CostTableError(f"{logs} must be a folder with a file for each model, such as CODE.txt")
    rows: dict[str, dict[str, Any]] = {}
    for path in sorted(one for one in logs.iterdir() if one.is_file() and not one.name.startswith(".")):
        code = path.name.partition(".")[0]
        if code not in manifest["models"]:
            raise CostTableError(
                f"{path}: {bench} has no model {shown(code)}; name files after models, such as CODE.txt"
            )
        if code in rows:
            raise CostTableError(f"{path}: a second file of {code}; keep one")
        tool, latency_ms = read_log(path)
        rows[code] = {"code": code, "median_ms": repr(latency_ms), "noisy": False, "provider": tool, "runtime": tool}
    if not rows:
        raise CostTableError(f"{logs} holds no files; it needs one for each model, such as CODE.txt")
    facts = {
        "device": device,
        "batch": manifest["input_shape"][0],
        "threads": threads,
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "space": manifest["space_fingerprint"],
        "network": json.dumps(manifest["network"]),
        "precision": numbers or manifest.get("precision", "float32"),
    }
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows({**rows[code], **facts} for code in manifest["models"] if code in rows)
    results = results_file(bench, device)
    if not replace:
        _require_replaceable(results)
    write_text(results, text.getvalue())
    return results, [code for code in manifest["models"] if code not in rows]


def _require_replaceable(results: Path) -> None:
    """Refuses to replace results that the runner measured, which took a while.

    Raises:
        CostTableError: If they are there.
    """
    if not results.is_file():
        return
    with results.open(encoding="utf-8-sig", newline="") as file:
        providers = {row.get("provider") for row in csv.DictReader(file)}
    if not providers <= {*TOOLS}:
        raise CostTableError(
            f"{results} holds what {RUNNER} measured; remove it, or give the device of these logs another name"
            " (--device)"
        )


def read_log(path: Path) -> tuple[str, float]:
    """Returns the program that wrote a file, and the last latency in it, in milliseconds.

    Raises:
        CostTableError: If there is none.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CostTableError(f"{path} cannot be read: {error.strerror}") from None
    # Older shells of Windows write what a program prints in UTF-16.
    coding = "utf-16" if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8"
    text = content.decode(coding, errors="replace")
    for name, prints in TOOLS.items():
        for one in prints:
            found = re.findall(one.pattern, text)
            if found:
                return name, float(found[-1]) * one.unit_ms
    raise CostTableError(f"{path}: no latency of {', '.join(TOOLS)} in it; run the program again, without an error")
