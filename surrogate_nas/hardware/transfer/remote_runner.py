#!/usr/bin/env python3
"""Measures the ONNX models in the folder of this file on this device, and writes results.csv.

Needs Python 3.8, numpy and onnxruntime, and nothing else: copy the folder to the device and run

    python measure.py --device NAME

Models are timed in turns, so a device that slows down in the meantime slows all of them down; a few of them, spread
over the whole, are timed again at the end to measure that drift. Noisy ones are timed again, and marked if they stay
noisy.

Measurements are kept in results.csv.part after every 20 models. If the program ends too early, run it again with the
same options: it goes on there.
"""

from __future__ import annotations

import argparse
import csv
import errno
import functools
import json
import math
import os
import platform
import re
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

SAMPLE_SECONDS = 3e-4
DISTURBED = 1.25
BLOCK = 20
ANCHORS = 3
WARM_UP_PASSES, WARM_UP_SECONDS = 5, 0.05
# Answers of CIFS, FUSE, exFAT and other mounts, which a device may have.
NO_SUCH_CALL = {errno.EPERM, errno.EINVAL, errno.ENODEV, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS}
COLUMNS = (
    "code", "median_ms", "iqr_ms", "repeats", "disturbed", "noisy", "again_ms",
    "device", "batch", "threads", "provider", "runtime", "measured_at", "space", "network",
    "precision",
)  # fmt: skip


def fail(message: str) -> NoReturn:
    """Ends the program with one line."""
    sys.exit("error: " + message)


def read_manifest(folder: str) -> dict[str, Any]:
    """Returns the models to measure, and the shape of their input."""
    try:
        with open(os.path.join(folder, "manifest.json"), encoding="utf-8") as file:
            manifest: dict[str, Any] = json.load(file)
            return manifest
    except (OSError, ValueError) as error:
        fail(f"manifest.json cannot be read: {error}; copy the whole folder")


def open_sessions(
    folder: str, manifest: dict[str, Any], codes: list[str], options: argparse.Namespace
) -> list[Callable[[], object]]:
    """Returns a forward pass of each model, which has run once already."""
    # It has no types, and need not be installed.
    import onnxruntime  # type: ignore[import-not-found,import-untyped,unused-ignore]

    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = options.threads
    settings.inter_op_num_threads = 1
    settings.log_severity_level = 3
    # Without it, sums of signed 8-bit products overflow on x86 processors without VNNI.
    settings.add_session_config_entry("session.x64quantprecision", "1")
    if options.provider not in onnxruntime.get_available_providers():
        here = ", ".join(onnxruntime.get_available_providers())
        fail(f"no provider {options.provider}; there are {here}")
    image = np.random.default_rng(0).standard_normal(manifest["input_shape"]).astype(np.float32)
    runs: list[Callable[[], object]] = []
    for code in codes:
        path = os.path.join(folder, manifest["models"][code])
        try:
            session = onnxruntime.InferenceSession(path, settings, providers=[options.provider])
            session.run(None, {manifest["input"]: image})
            used = session.get_providers()
        except Exception as error:
            fail(f"{path} cannot be run: {str(error).strip().splitlines()[0]}")
        if options.provider not in used:  # ONNX Runtime takes another one where a library of it is missing
            fail(f"the provider {options.provider} cannot start here, and {used[0]} would run in its place")
        runs.append(functools.partial(session.run, None, {manifest["input"]: image}))
    return runs


def timed(run: Callable[[], object], passes: int) -> float:
    """Returns seconds per pass."""
    began = time.perf_counter()
    for _ in range(WARM_UP_PASSES):  # they bring the weights back into the caches, after other models ran
        run()
        if time.perf_counter() - began > WARM_UP_SECONDS:
            break
    start = time.perf_counter()
    for _ in range(passes):
        run()
    return (time.perf_counter() - start) / passes


def measure(runs: list[Callable[[], object]], seconds: float, repeats: int) -> np.ndarray:
    """Returns samples of every run, in turns, shape (samples, runs), in seconds."""
    passes = []
    for run in runs:
        once = min(timed(run, 1) for _ in range(3))
        passes.append(int(min(1000, max(1, np.ceil(SAMPLE_SECONDS / max(once, 1e-9))))))
    samples: list[list[float]] = []
    start = time.perf_counter()
    while len(samples) < repeats or time.perf_counter() - start < seconds * len(runs):
        order = range(len(runs)) if len(samples) % 2 == 0 else reversed(range(len(runs)))
        row = [0.0] * len(runs)
        for index in order:
            row[index] = timed(runs[index], passes[index])
        samples.append(row)
        if len(samples) >= 10 * repeats:
            break
    return np.array(samples)


def summarize(samples: np.ndarray, noise: float) -> dict[str, Any]:
    """Returns median and range of the samples that nothing disturbed."""
    counting = samples[samples <= DISTURBED * np.percentile(samples, 10)]
    low, median, high = np.percentile(counting, [25, 50, 75]) * 1e3
    noisy = (high - low) / median > noise or 2 * len(counting) < len(samples)
    return {
        "median_ms": float(median), "iqr_ms": float(high - low), "repeats": len(counting),
        "disturbed": len(samples) - len(counting), "noisy": bool(noisy),
    }  # fmt: skip


def measure_block(runs: list[Callable[[], object]], options: argparse.Namespace) -> list[dict[str, Any]]:
    """Returns the fastest attempt of each run, calm if it was, or if a calm attempt took as long to within the noise.

    Noisy ones get more attempts.
    """
    made: list[list[dict[str, Any]]] = [[] for _ in runs]
    for _ in range(options.attempts):
        pending = [i for i, attempts in enumerate(made) if all(one["noisy"] for one in attempts)]
        if not pending:
            break
        samples = measure([runs[i] for i in pending], options.seconds, options.repeats)
        for column, index in enumerate(pending):
            made[index].append(summarize(samples[:, column], options.noise))
    found = []
    for attempts in made:
        fastest = min(attempts, key=lambda one: one["median_ms"])
        most_ms = fastest["median_ms"] * (1 + options.noise)
        calm = any(not one["noisy"] and one["median_ms"] <= most_ms for one in attempts)
        found.append({**fastest, "noisy": not calm})
    return found


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Returns the options."""
    parser = argparse.ArgumentParser(description="Measures the ONNX models in this folder; writes results.csv.")
    parser.add_argument("--device", default=platform.node(), help="name of this device")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--provider", default="CPUExecutionProvider")
    parser.add_argument("--seconds", type=float, default=0.25, help="per model and attempt")
    parser.add_argument("--repeats", type=int, default=15, help="fewest samples of a model")
    parser.add_argument("--noise", type=float, default=0.15, help="IQR over median above which a model is timed again")
    parser.add_argument("--attempts", type=int, default=3)
    parser.add_argument("--output", default="results.csv")
    parser.add_argument("--while-connected", action="store_true", help="end as soon as standard input is closed")
    options = parser.parse_args(arguments)
    for name in ("threads", "repeats", "attempts"):
        if getattr(options, name) < 1:
            fail(f"--{name} must be at least 1 (got {getattr(options, name)})")
    # A table has a column of this name.
    if not re.fullmatch(r"[A-Za-z0-9_.-]+", options.device):
        fail(f"--device must be of letters, digits, '_', '.' and '-' (got {options.device!r})")
    return options


def flush_to_disk(handle: int) -> None:
    """Waits until an open file is on the disk, where its file system has such a call."""
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in NO_SUCH_CALL:
            raise


def write_rows(path: str, rows: list[dict[str, Any]]) -> None:
    """Writes rows in one piece."""
    try:
        with open(path + ".new", "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(rows)
            file.flush()
            flush_to_disk(file.fileno())
        os.replace(path + ".new", path)
    except OSError as error:
        fail(f"{path} cannot be written: {error.strerror}; choose another --output")


def read_kept(path: str, facts: dict[str, Any], codes: list[str]) -> list[dict[str, Any]]:
    """Returns the rows that an earlier process kept; a file that holds others is refused."""
    if not os.path.exists(path):
        return []
    try:
        with open(path, newline="", encoding="utf-8") as file:
            rows: list[dict[str, Any]] = list(csv.DictReader(file))
        for row in rows:
            if set(row) != set(COLUMNS) or not 0 < float(row["median_ms"]) < math.inf:
                raise ValueError("columns or latencies are missing")
    except (OSError, TypeError, ValueError, csv.Error) as error:
        fail(f"{path} is damaged ({str(error)[:100]}); remove it to measure everything again")
    for row in rows:
        for name, value in facts.items():
            if row.get(name) != str(value):
                fail(
                    f"{path} holds measurements with {name} {row.get(name)}, not {value}; give the same"
                    " options as before, remove it, or choose another --output"
                )
    return [row for row in rows if row["code"] in codes]


def measure_rest(
    folder: str, manifest: dict[str, Any], options: argparse.Namespace, facts: dict[str, Any]
) -> list[dict[str, Any]]:
    """Measures the models that are not in the file of kept measurements, and keeps each block there."""
    codes, kept = list(manifest["models"]), options.output + ".part"
    rows = read_kept(kept, facts, codes)
    write_rows(kept, rows)  # fails before anything is measured
    done = {row["code"] for row in rows}
    left = [code for code in codes if code not in done]
    if rows:
        print(f"{len(rows)} of {len(codes)} models were measured before", file=sys.stderr, flush=True)
    for start in range(0, len(left), BLOCK):
        block = left[start : start + BLOCK]
        found = measure_block(open_sessions(folder, manifest, block, options), options)
        now = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime())
        rows += [dict(code=code, again_ms="", measured_at=now, **one, **facts) for code, one in zip(block, found)]  # noqa: B905 - Python 3.8 has no strict
        write_rows(kept, rows)
        print(f"{len(rows)} of {len(codes)} models measured", file=sys.stderr, flush=True)
    return rows


def end_with_input() -> None:
    """Ends the process when its standard input is closed; files are written in one piece, so none is torn."""
    while os.read(0, 1024):
        pass
    os._exit(1)


def main(arguments: list[str] | None = None) -> None:
    """Measures everything and writes the results."""
    options = parse(arguments)
    if options.while_connected:
        # A lost connection ends no process by itself, and a second one would be measured beside the first.
        threading.Thread(target=end_with_input, daemon=True).start()
    folder = os.path.dirname(os.path.abspath(__file__))
    manifest = read_manifest(folder)
    try:
        import onnxruntime
    except ImportError:
        fail("onnxruntime is not installed; install it by: pip install onnxruntime")
    facts = {
        "device": options.device, "batch": manifest["input_shape"][0], "threads": options.threads,
        "provider": options.provider, "runtime": "onnxruntime " + onnxruntime.__version__,
        "space": manifest["space_fingerprint"], "network": json.dumps(manifest["network"]),
        "precision": manifest.get("precision", "float32"),
    }  # fmt: skip
    try:
        rows = measure_rest(folder, manifest, options, facts)
        anchors = [int(row) for row in np.unique(np.linspace(0, len(rows) - 1, ANCHORS).astype(int))]
        sessions = open_sessions(folder, manifest, [rows[row]["code"] for row in anchors], options)
        timed = list(zip(anchors, measure_block(sessions, options)))  # noqa: B905 - likewise
        # A noisy one says nothing of the device; where all are, it is restless, which their change shows.
        calm = [(row, again) for row, again in timed if str(again["noisy"]) != "True"]
        for row, again in calm or timed:
            rows[row]["again_ms"] = again["median_ms"]
    except KeyboardInterrupt:
        print(f"interrupted; {options.output}.part keeps measurements: run the same command to go on", file=sys.stderr)
        sys.exit(130)
    write_rows(options.output, rows)
    os.remove(options.output + ".part")
    noisy = sum(str(row["noisy"]) == "True" for row in rows)
    print(f"{len(rows)} models measured, {noisy} of them still noisy; written to {options.output}")


if __name__ == "__main__":
    main()
