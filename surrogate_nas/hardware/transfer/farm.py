"""Measures a bench on several like devices at once: each takes a share of the networks, and the next when it is done.

Every share holds the same reference network, which is timed in turns with the others of the share. Latencies are
joined relative to it, so that a device that is a little faster or slower than its like does not shift its rows.
"""

import csv
import hashlib
import shutil
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from surrogate_nas._support.files import atomic_write, write_json, write_text
from surrogate_nas.errors import MeasurementError, SettingsError, SurrogateNasError
from surrogate_nas.hardware.transfer.bench_folder import MANIFEST, bench_files, read_manifest, results_file
from surrogate_nas.hardware.transfer.device_loop import DeviceOptions, measure_there, require_same_options
from surrogate_nas.hardware.transfer.device_results import read_rows, require_name
from surrogate_nas.hardware.transfer.remeasuring import Again
from surrogate_nas.hardware.transfer.remote_runner import BLOCK, COLUMNS
from surrogate_nas.hardware.transfer.secure_shell import DeviceShell

_MOST_APART = 1.25  # between the reference's latencies on devices of one kind
_ONE_OF_ALL = ("batch", "threads", "provider", "runtime", "space", "network", "precision")
Row = dict[str, str]


def measure_on_all(
    bench: Path,
    shells: Sequence[DeviceShell],
    options: DeviceOptions,
    on_line: Callable[[str], None],
    *,
    again: bool = False,
) -> Path:
    """Returns the file of results of a bench, ``results-DEVICE.csv`` in its folder, measured by several devices.

    A device that goes away, or fails, hands its share to the others. What was measured is kept until all of it is.

    Args:
        bench: Folder that ``export_bench`` made.
        shells: Reach the devices, which are of one kind.
        options: How to measure; ``device`` is the name of their kind in the results.
        on_line: Takes lines about the progress; called by several threads.
        again: Whether to measure even where there are results.

    Raises:
        SettingsError: If the folder is not a bench, holds results that were measured with other options, or a device
            is named twice.
        MeasurementError: If no device is left, or they differ too much.
    """
    hosts = [shell.host for shell in shells]
    twice = sorted({host for host in hosts if hosts.count(host) > 1})
    if twice:
        raise SettingsError(f"{twice[0]} is named twice; name each device once")
    bench_files(bench)
    require_name(bench, options.device)
    results = results_file(bench, options.device)
    new = Again(bench, f"{options.device}-all", again)
    if results.exists() and not new.wanted:
        require_same_options(results, options)
        on_line(f"{results} has the results already; --again measures again")
        return results
    place = bench / f".shares-{options.device}"
    _require_own(place)
    if new.afresh and place.exists():
        shutil.rmtree(place)
    new.begin()
    shares = _shares(bench, place, options)
    _measure(shares, shells, options, on_line, again=new.wanted)
    _write_joined(results, shares, options.device, on_line)
    shutil.rmtree(place)
    new.end()
    return results


def _require_own(place: Path) -> None:
    """Refuses a place of shares that leads elsewhere: files are written and removed there.

    Raises:
        SettingsError: If it is no folder, or it or anything in it is a link.
    """
    link = next(filter(Path.is_symlink, chain([place], place.rglob("*"))), None)
    if link is not None:
        raise SettingsError(f"{link} is a link, through which no share of a bench is written; remove it")
    if place.exists() and not place.is_dir():
        raise SettingsError(f"{place} must be a folder, in which shares of the bench are kept; remove it")


@dataclass(frozen=True)
class _Share:
    """Networks that one device measures together, the reference first, as a bench of their own."""

    folder: Path

    @property
    def _host(self) -> Path:
        return self.folder / "host.txt"

    def is_done(self, device: str) -> bool:
        return results_file(self.folder, device).exists()

    def give_to(self, host: str) -> None:
        write_text(self._host, host)

    @property
    def host(self) -> str:
        return self._host.read_text(encoding="utf-8", errors="replace")

    def rows(self, device: str) -> list[Row]:
        """Returns the rows of all networks, the reference first."""
        return read_rows(results_file(self.folder, device), list(read_manifest(self.folder)["models"]))


def _shares(bench: Path, place: Path, options: DeviceOptions) -> list[_Share]:
    """Returns the shares of a bench; their folders are made where they are missing."""
    manifest = read_manifest(bench)
    codes = list(manifest["models"])
    # Of middling size, so that it takes about as long as the others.
    by_size = sorted(codes, key=lambda code: ((bench / manifest["models"][code]).stat().st_size, code))
    reference = by_size[len(by_size) // 2]
    others = [code for code in codes if code != reference]
    most = BLOCK - 1  # the runner times as many in turns
    shares = []
    for start in range(0, max(1, len(others)), most):
        named = {code: manifest["models"][code] for code in (reference, *others[start : start + most])}
        content = repr((manifest | {"models": named}, astuple(options))).encode()
        folder = place / hashlib.sha256(content).hexdigest()[:16]
        if not (folder / MANIFEST).exists():
            folder.mkdir(parents=True, exist_ok=True)
            converted = [f"{code}.tflite" for code in named]
            for name in (*named.values(), *(name for name in converted if (bench / name).is_file())):
                shutil.copyfile(bench / name, folder / name)
            write_json(folder / MANIFEST, manifest | {"models": named})  # last, as it makes the folder a bench
        shares.append(_Share(folder))
    return shares


@dataclass
class _Queue:
    """Shares that wait; one that a device gives back is another's."""

    waiting: deque[_Share]
    busy: int = 0
    failed: list[Exception] = field(default_factory=list)
    stopped: bool = False
    changed: threading.Condition = field(default_factory=threading.Condition)

    def take(self) -> _Share | None:
        """Returns a share, once there is one; None if all are done, or nobody should go on."""
        with self.changed:
            while not self.waiting and self.busy and not self.stopped:
                self.changed.wait()
            if self.stopped or not self.waiting:
                return None
            self.busy += 1
            return self.waiting.popleft()

    def end(self, share: _Share, error: Exception | None = None) -> None:
        with self.changed:
            self.busy -= 1
            if error is not None:
                self.waiting.append(share)
                self.failed.append(error)
            self.changed.notify_all()

    def stop(self) -> None:
        with self.changed:
            self.stopped = True
            self.changed.notify_all()


def _measure(
    shares: Sequence[_Share],
    shells: Sequence[DeviceShell],
    options: DeviceOptions,
    on_line: Callable[[str], None],
    *,
    again: bool,
) -> None:
    queue = _Queue(deque(share for share in shares if not share.is_done(options.device)))

    def work(shell: DeviceShell) -> None:
        def say(line: str) -> None:
            on_line(f"{shell.host}: {line}")

        while (share := queue.take()) is not None:
            error: Exception | None = None
            try:
                share.give_to(shell.host)
                measure_there(share.folder, shell, options, say, again=again)
            except Exception as raised:  # handled by the thread that waits
                error = raised
            queue.end(share, error)
            if error is not None:
                say(f"{error}; the other devices take its share")
                return

    threads = [threading.Thread(target=work, args=(shell,), daemon=True) for shell in shells]
    for thread in threads:
        thread.start()
    try:
        for thread in threads:
            thread.join()
    finally:
        queue.stop()
    for error in queue.failed:
        if not isinstance(error, MeasurementError):
            raise error
    if queue.waiting:
        raise MeasurementError(
            f"no device is left, and {len(queue.waiting)} of {len(shares)} shares of the bench are not measured; the"
            " others are kept: run the same command to go on"
        )


def _write_joined(results: Path, shares: Sequence[_Share], device: str, on_line: Callable[[str], None]) -> None:
    """Writes the rows of all shares, with latencies as if one device of the kind had measured all of them.

    Raises:
        MeasurementError: If the devices differ too much, or a share cannot be read.
    """
    try:
        measured = [(share.host, share.rows(device)) for share in shares]
    except (OSError, SurrogateNasError) as error:
        raise MeasurementError(f"a share of the bench is damaged: {error}; --again measures all again") from None
    _require_one_set(measured)
    references = np.array([float(rows[0]["median_ms"]) for _, rows in measured])
    common = float(np.median(references))
    hosts = [host for host, _ in measured]
    typical = {host: float(np.median(references[[one == host for one in hosts]])) for host in dict.fromkeys(hosts)}
    slowest, fastest = max(typical, key=lambda host: typical[host]), min(typical, key=lambda host: typical[host])
    apart = typical[slowest] / typical[fastest]
    if apart > _MOST_APART:
        raise MeasurementError(
            f"{slowest} takes {apart:.2f} times as long as {fastest} for the same network; devices that share a bench"
            f" must be of one kind and idle: measure with one of them, or each under its own --device (--again)"
        )
    farthest = references[np.argmax(np.abs(references / common - 1))]
    joined = [measured[0][1][0] | {"median_ms": repr(common), "again_ms": repr(float(farthest))}]
    for reference, (_, (first, *rows)) in zip(references.tolist(), measured, strict=True):
        for row in rows:
            joined.append(row | _scaled(row, common / reference) | _noisy_with(first, row))
    with atomic_write(results) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(joined)
    counts = ", ".join(f"{host} {hosts.count(host)}" for host in typical)
    on_line(f"shares measured: {counts}; the slowest device takes {100 * (apart - 1):.1f}% longer than the fastest")


def _require_one_set(measured: Sequence[tuple[str, list[Row]]]) -> None:
    (one, (first, *_)), *_ = measured
    for host, (row, *_) in measured:
        for name in _ONE_OF_ALL:
            if row.get(name) != first.get(name):
                raise MeasurementError(
                    f"{name} is {first.get(name)} on {one} and {row.get(name)} on {host}; make them equal, and measure"
                    " with --again"
                )


def _scaled(row: Row, factor: float) -> dict[str, Any]:
    return {name: repr(float(row[name]) * factor) for name in ("median_ms", "iqr_ms", "again_ms") if row[name]}


def _noisy_with(reference: Row, row: Row) -> dict[str, Any]:
    """Marks a row as noisy where its reference is, as its relation to others is not known then."""
    return {"noisy": str("true" in (reference["noisy"].lower(), row["noisy"].lower()))}
