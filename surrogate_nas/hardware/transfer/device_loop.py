"""Measures a bench on a device that a shell reaches: copies it there, runs it, and brings the results back.

The device keeps what it measured. Its folder is named after the content of the bench, and its results after the
options, so that the same command goes on wherever an earlier one ended.
"""

import hashlib
import io
import shlex
import tarfile
import tempfile
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path, PurePosixPath
from types import MappingProxyType

from surrogate_nas._support.files import atomic_write
from surrogate_nas._support.words import first_line
from surrogate_nas.errors import CostTableError, MeasurementError, SettingsError
from surrogate_nas.hardware.tables.text_columns import read_columns
from surrogate_nas.hardware.transfer.bench_folder import bench_files, held_files, read_manifest, results_file, runner
from surrogate_nas.hardware.transfer.device_results import require_name
from surrogate_nas.hardware.transfer.remeasuring import Again
from surrogate_nas.hardware.transfer.secure_shell import DeviceShell, Outcome
from surrogate_nas.hardware.transfer.tool_logs import import_logs

TOOL_WORDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "onnxruntime_perf_test": ("onnx", "-I -s -m times -r 50 -x {threads} {model}"),
        "benchmark_model": ("tflite", "--graph={model} --num_threads={threads} --warmup_runs=5 --num_runs=50"),
    }
)
"""Benchmark program to the ending of the models that it takes, and its arguments."""

_THERE = "surrogate_nas_bench"  # in the home folder of the device
_NO_PERMISSION, _NOT_FOUND = 126, 127  # a shell's exit codes


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
        tool: A benchmark program there that measures in the place of Python, by its path; one of ``TOOL_WORDS``.

    Raises:
        SettingsError: If the output of that program cannot be read.
    """

    device: str
    python: str = "python3"
    threads: int = 1
    provider: str = "CPUExecutionProvider"
    seconds: float = 0.25
    attempts: int = 3
    tool: str = ""

    def __post_init__(self) -> None:
        """Checks the program."""
        if self.tool and self.program not in TOOL_WORDS:
            raise SettingsError(f"--tool takes the path of {' or '.join(TOOL_WORDS)} on the device (got {self.tool!r})")

    @property
    def program(self) -> str:
        """Name of the benchmark program."""
        return PurePosixPath(self.tool).name

    @property
    def measured_by(self) -> str:
        """The entry of results in the column ``provider``."""
        return self.program if self.tool else self.provider


def measure_there(
    bench: Path,
    shell: DeviceShell,
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
        again: Whether to measure everything again, whatever was measured. After a stop, the next call goes on with it.

    Raises:
        SettingsError: If the folder is not a bench, or holds results that were measured with other options.
        MeasurementError: If the device cannot be reached, goes away, or fails.
    """
    files = _tool_files(bench, options) if options.tool else bench_files(bench)
    require_name(bench, options.device)
    results = results_file(bench, options.device)
    new = Again(bench, f"{options.device}-{_digest(shell.host.encode())}", again)
    if results.exists() and not new.wanted:
        require_same_options(results, options)
        if on_line is not None:
            on_line(f"{results} has the results already; --again measures again")
        return results
    folder = f"{_THERE}/{_digest(*(path.read_bytes() for path in files))}"
    if options.tool:
        if new.afresh:
            _reached(shell, shell.run(f"rm -rf {folder}"))
            new.begin()
        results = _measure_by_tool(bench, files, folder, shell, options, on_line)
        new.end()
        return results
    name = f"results-{_digest(repr(astuple(options)).encode())}.csv"
    look = f"if test -f {folder}/{name}; then echo measured; elif test -d {folder}; then echo copied; else echo new; fi"
    before = f"rm -f {folder}/{name} {folder}/{name}.part; " if new.afresh else ""
    state = _reached(shell, shell.run(before + look)).decode().strip()
    new.begin()
    if state == "new":
        _reached(shell, shell.send(files, folder))
    if state != "measured":
        _require_done(shell, shell.run(_command(folder, name, options), on_line), options)
    content = _reached(shell, shell.run(f"cat {folder}/{name}"))
    with atomic_write(results) as temporary:
        temporary.write_bytes(content)
    new.end()
    return results


def _tool_files(bench: Path, options: DeviceOptions) -> list[Path]:
    """Returns the models of a bench in the form that a benchmark program takes, in the order of the manifest.

    Raises:
        SettingsError: If one is missing.
    """
    ending, _ = TOOL_WORDS[options.program]
    names = [f"{code}.{ending}" for code in read_manifest(bench)["models"]]
    remedy = f"{options.program} takes .{ending} files: put the models into the bench, named by their codes"
    return held_files(bench, names, remedy)


def _measure_by_tool(
    bench: Path,
    files: Sequence[Path],
    folder: str,
    shell: DeviceShell,
    options: DeviceOptions,
    on_line: Callable[[str], None] | None,
) -> Path:
    """Runs a benchmark program on every model, and reads what it printed; a model that was measured is left out."""
    if _reached(shell, shell.run(f"if test -d {folder}; then echo copied; fi")).strip() != b"copied":
        _reached(shell, shell.send(files, folder))
    logs = f"logs-{_digest(repr(astuple(options)).encode())}"
    _require_measured(shell, shell.run(_tool_command(files, folder, logs, options), on_line), options)
    packed = _reached(shell, shell.run(f"cd {folder}/{logs} && tar -c -f - *.txt"))
    with tempfile.TemporaryDirectory() as place:
        try:
            _unpack(packed, {path.stem for path in files}, Path(place))
        except (tarfile.TarError, EOFError, ValueError) as error:
            raise MeasurementError(
                f"{shell.host} sent an archive of results that cannot be read ({first_line(error)}); run the same"
                " command to go on, or measure with --again"
            ) from None
        try:
            results, _ = import_logs(bench, Path(place), options.device, options.threads, replace=True)
        except CostTableError as error:
            said = str(error).replace(f"{place}/", "")
            raise MeasurementError(
                f"what {options.program} printed on {shell.host} cannot be used: {said}. To measure all models again,"
                " add --again"
            ) from None
    return results


def _tool_command(files: Sequence[Path], folder: str, logs: str, options: DeviceOptions) -> str:
    """Returns a command of the device's shell; names of files are quoted, and folders are named by digests."""
    ending, words = TOOL_WORDS[options.program]
    model = f'"$code".{ending}'
    call = f"{_quoted_path(options.tool)} {words.format(threads=options.threads, model=model)}"
    return (
        f"cd {folder} && mkdir -p {logs} && done=0; for code in {shlex.join(path.stem for path in files)}; do"
        f' if ! test -f {logs}/"$code".txt; then {call} > {logs}/new 2>&1; left=$?;'
        f" if test $left != 0; then tail -n 1 {logs}/new >&2; exit $left; fi;"
        f' mv {logs}/new {logs}/"$code".txt; fi;'
        f' done=$((done + 1)); echo "$done of {len(files)} models measured" >&2; done'
    )


def _require_measured(shell: DeviceShell, outcome: Outcome, options: DeviceOptions) -> None:
    if outcome.lost:
        raise MeasurementError(_went_away(shell, outcome))
    if outcome.code in (_NO_PERMISSION, _NOT_FOUND):
        raise MeasurementError(
            f"{shell.host} cannot run {options.tool}: {outcome.last_line}; copy it there, executable"
        )
    if outcome.code:
        said = outcome.last_line or f"exit code {outcome.code}"
        raise MeasurementError(f"{options.program} failed on {shell.host}: {said}")


def _unpack(packed: bytes, codes: Collection[str], place: Path) -> None:
    """Writes the files of an archive that are named after models, and no others."""
    with tarfile.open(fileobj=io.BytesIO(packed), encoding="utf-8") as archive:
        for member in archive:
            code, _, ending = member.name.removeprefix("./").rpartition(".")
            content = archive.extractfile(member) if member.isfile() else None
            if code in codes and ending == "txt" and content is not None:
                (place / f"{code}.txt").write_bytes(content.read())


def _went_away(shell: DeviceShell, outcome: Outcome) -> str:
    why = outcome.last_line or f"{shell.link} ended"
    return f"{shell.host} went away ({why}); it keeps what it measured: run the same command to go on"


def _digest(*parts: bytes) -> str:
    hashed = hashlib.sha256()
    for part in parts:
        hashed.update(hashlib.sha256(part).digest())
    return hashed.hexdigest()[:16]


def _command(folder: str, name: str, options: DeviceOptions) -> str:
    words = [runner().name, "--while-connected", "--device", options.device, "--output", name]
    for key in ("threads", "provider", "seconds", "attempts"):
        words += [f"--{key}", str(getattr(options, key))]
    return f"cd {folder} && exec {_quoted_path(options.python)} {shlex.join(words)}"


def _quoted_path(program: str) -> str:
    """Returns a program of the device for its shell; a relative path begins in the home folder, as ssh does."""
    if "/" not in program or program.startswith("/"):
        return shlex.quote(program)
    # A shell takes a quoted '~' for a file of that name.
    return f'"$HOME"/{shlex.quote(program.removeprefix("~/"))}'


def require_same_options(results: Path, options: DeviceOptions) -> None:
    """Refuses results of a device that were measured with other options.

    Raises:
        SettingsError: If they were.
    """
    columns = read_columns(results)
    for name in ("device", "threads", "provider"):
        held = (columns.cells.get(name) or [""])[0]
        wanted = options.measured_by if name == "provider" else str(getattr(options, name))
        if held != wanted:
            raise SettingsError(f"{results} holds results with {name} {held}, not {wanted}; --again replaces them")


def _reached(shell: DeviceShell, outcome: Outcome) -> bytes:
    """Returns the output of a command that must not fail."""
    if outcome.lost:
        raise MeasurementError(f"{shell.host} cannot be reached: {outcome.last_line or f'{shell.link} ended'}")
    if outcome.code:
        raise MeasurementError(f"{shell.host} failed: {outcome.last_line or f'exit code {outcome.code}'}")
    return outcome.output


def _require_done(shell: DeviceShell, outcome: Outcome, options: DeviceOptions) -> None:
    if outcome.lost:
        raise MeasurementError(_went_away(shell, outcome))
    if outcome.code == _NOT_FOUND:
        raise MeasurementError(f"{shell.host} has no {options.python}; name its Python with --python, or use --tool")
    if outcome.code:
        said = outcome.last_line.removeprefix("error: ") or f"exit code {outcome.code}"
        raise MeasurementError(f"the measurement on {shell.host} failed: {said}")
