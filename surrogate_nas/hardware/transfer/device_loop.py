"""Measures a bench on a device that a shell reaches: copies it there, runs it, and brings the results back.

The device keeps what it measured. Its folder is named after the content of the bench, and its results after the
options, so that the same command goes on wherever an earlier one ended.
"""

import hashlib
import shlex
from collections.abc import Callable
from dataclasses import astuple, dataclass
from pathlib import Path

from surrogate_nas._support.files import atomic_write
from surrogate_nas.errors import MeasurementError, SettingsError
from surrogate_nas.hardware.tables.text_columns import read_columns
from surrogate_nas.hardware.transfer.bench_folder import bench_files, results_file
from surrogate_nas.hardware.transfer.device_results import RUNNER, require_name
from surrogate_nas.hardware.transfer.secure_shell import Outcome, SecureShell

_THERE = "surrogate_nas_bench"  # in the home folder of the device
_NOT_FOUND = 127  # a shell's exit code


@dataclass(frozen=True)
class DeviceOptions:
    """Options of a measurement on a device.

    Attributes:
        device: Name of the device in the results.
        python: The Python there that has numpy and onnxruntime.
        threads: Threads of a forward pass.
        provider: Execution provider of ONNX Runtime.
        seconds: Time for each model and attempt.
        attempts: Most attempts at a noisy model.
    """

    device: str
    python: str = "python3"
    threads: int = 1
    provider: str = "CPUExecutionProvider"
    seconds: float = 0.25
    attempts: int = 3


def measure_there(
    bench: Path,
    shell: SecureShell,
    options: DeviceOptions,
    on_line: Callable[[str], None] | None = None,
    *,
    again: bool = False,
) -> Path:
    """Returns the file of results of a bench, ``results-DEVICE.csv`` in its folder.

    Args:
        bench: Folder that ``export_bench`` made.
        shell: Reaches the device.
        options: How to measure.
        on_line: Takes lines about the progress.
        again: Whether to measure even where there are results.

    Raises:
        SettingsError: If the folder is not a bench, or holds results that were measured with other options.
        MeasurementError: If the device cannot be reached, goes away, or fails.
    """
    files = bench_files(bench)
    require_name(bench, options.device)
    results = results_file(bench, options.device)
    if results.exists() and not again:
        require_same_options(results, options)
        return results
    folder = f"{_THERE}/{_digest(*(path.read_bytes() for path in files))}"
    name = f"results-{_digest(repr(astuple(options)).encode())}.csv"
    look = f"if test -f {folder}/{name}; then echo measured; elif test -d {folder}; then echo copied; else echo new; fi"
    before = f"rm -f {folder}/{name}; " if again else ""
    state = _reached(shell, shell.run(before + look)).decode().strip()
    if state == "new":
        _reached(shell, shell.send(files, folder))
    if state != "measured":
        _require_done(shell, shell.run(_command(folder, name, options), on_line), options)
    content = _reached(shell, shell.run(f"cat {folder}/{name}"))
    with atomic_write(results) as temporary:
        temporary.write_bytes(content)
    return results


def _digest(*parts: bytes) -> str:
    hashed = hashlib.sha256()
    for part in parts:
        hashed.update(hashlib.sha256(part).digest())
    return hashed.hexdigest()[:16]


def _command(folder: str, name: str, options: DeviceOptions) -> str:
    words = [RUNNER, "--while-connected", "--device", options.device, "--output", name]
    for key in ("threads", "provider", "seconds", "attempts"):
        words += [f"--{key}", str(getattr(options, key))]
    # A shell takes a quoted '~' for a file of that name.
    home, slash, rest = options.python.partition("~/")
    python = f'"$HOME"/{shlex.quote(rest)}' if slash and not home else shlex.quote(options.python)
    return f"cd {folder} && exec {python} {shlex.join(words)}"


def require_same_options(results: Path, options: DeviceOptions) -> None:
    """Refuses results of a device that were measured with other options.

    Raises:
        SettingsError: If they were.
    """
    columns = read_columns(results)
    for name in ("device", "threads", "provider"):
        held, wanted = (columns.cells.get(name) or [""])[0], str(getattr(options, name))
        if held != wanted:
            raise SettingsError(f"{results} holds results with {name} {held}, not {wanted}; --again replaces them")


def _reached(shell: SecureShell, outcome: Outcome) -> bytes:
    """Returns the output of a command that must not fail."""
    if outcome.lost:
        raise MeasurementError(f"{shell.host} cannot be reached: {outcome.last_line or 'ssh ended'}")
    if outcome.code:
        raise MeasurementError(f"{shell.host} failed: {outcome.last_line or f'exit code {outcome.code}'}")
    return outcome.output


def _require_done(shell: SecureShell, outcome: Outcome, options: DeviceOptions) -> None:
    if outcome.lost:
        raise MeasurementError(
            f"{shell.host} went away ({outcome.last_line or 'ssh ended'}); it keeps what it measured: run the same"
            " command to go on"
        )
    if outcome.code == _NOT_FOUND:
        raise MeasurementError(f"{shell.host} has no {options.python}; name its Python with --python")
    if outcome.code:
        said = outcome.last_line.removeprefix("error: ") or f"exit code {outcome.code}"
        raise MeasurementError(f"the measurement on {shell.host} failed: {said}")
