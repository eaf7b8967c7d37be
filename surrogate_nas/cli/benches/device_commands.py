"""Commands that bring measurements of another device here."""

from pathlib import Path
from typing import Annotated

import typer

from surrogate_nas._support.commands import shown
from surrogate_nas._support.words import count_of
from surrogate_nas.cli.command_line import complain, in_home, say
from surrogate_nas.costs.number_formats import Activations, Numbers, Precision, numbers_of
from surrogate_nas.errors import SettingsError

# What needs torch is imported where it is used.
Bench = Annotated[Path, typer.Argument(callback=in_home, metavar="BENCH", help="Folder that export-bench made.")]
Device = Annotated[str, typer.Option(metavar="NAME", help="Name of the device in the results.")]
Threads = Annotated[int, typer.Option(metavar="N", min=1, max=1024, help="CPU threads.")]
BenchActivations = Annotated[
    Activations | None,
    typer.Option(help="Feature maps of int8: unsigned suits x86 processors, signed microcontrollers and NPUs."),
]


def asked_numbers(precision: Precision | None, activations: Activations | None) -> Numbers:
    """Returns what the networks of a bench compute with.

    Raises:
        SettingsError: If activations are given for another precision than int8.
    """
    if activations is not None and precision != "int8":
        raise SettingsError(f"--activations {activations} is of int8; add --precision int8, or leave it out")
    return numbers_of(precision or "float32", activations or "unsigned")


def measure(
    bench: Bench,
    device: Device,
    ssh: Annotated[
        list[str] | None,
        typer.Option(
            metavar="USER@HOST",
            help="Device, as ssh takes it; your ssh configuration holds for it. Repeat it for devices of the same"
            " kind, which share the bench.",
        ),
    ] = None,
    adb: Annotated[
        list[str] | None,
        typer.Option(metavar="SERIAL", help="Android device, as adb devices names it. Repeat it as --ssh."),
    ] = None,
    tool: Annotated[
        str,
        typer.Option(
            metavar="PROGRAM",
            help="Path on the device of onnxruntime_perf_test or benchmark_model, to measure without Python.",
        ),
    ] = "",
    python: Annotated[
        str, typer.Option(metavar="PROGRAM", help="Python of the device that has numpy and onnxruntime.")
    ] = "python3",
    threads: Threads = 1,
    provider: Annotated[
        str, typer.Option(metavar="NAME", help="Execution provider of ONNX Runtime on the device.")
    ] = "CPUExecutionProvider",
    seconds: Annotated[float, typer.Option(metavar="S", min=0.001, help="Time for each model and attempt.")] = 0.25,
    attempts: Annotated[int, typer.Option(metavar="N", min=1, help="Most attempts at a noisy model.")] = 3,
    again: Annotated[bool, typer.Option("--again", help="Measure even where there are results.")] = False,
) -> None:
    """Measures a bench on devices over ssh or adb, and brings results back; the same command goes on after a stop."""
    from surrogate_nas.hardware.transfer.android_shell import AndroidShell
    from surrogate_nas.hardware.transfer.device_loop import DeviceOptions, measure_there
    from surrogate_nas.hardware.transfer.farm import measure_on_all
    from surrogate_nas.hardware.transfer.secure_shell import DeviceShell, SecureShell

    if not ssh and not adb:
        raise SettingsError("name a device: --ssh USER@HOST, or --adb SERIAL")
    options = DeviceOptions(device, python, threads, provider, seconds, attempts, tool)
    shells: list[DeviceShell] = [*map(SecureShell, ssh or ()), *map(AndroidShell, adb or ())]
    if len(shells) == 1:
        results = measure_there(bench, shells[0], options, complain, again=again)
    else:
        results = measure_on_all(bench, shells, options, complain, again=again)
    _say_next(results)


def read_logs(
    bench: Bench,
    logs: Annotated[
        Path,
        typer.Argument(
            callback=in_home,
            metavar="LOGS",
            help="Folder with what the program printed, a file CODE.txt for each model.",
        ),
    ],
    device: Device,
    threads: Threads = 1,
    precision: Annotated[
        Precision | None,
        typer.Option(help="Numbers of the models that the program ran, where the bench has others."),
    ] = None,
    activations: BenchActivations = None,
) -> None:
    """Reads what benchmark_model, onnxruntime_perf_test or trtexec printed for the models of a bench."""
    from surrogate_nas.hardware.transfer.tool_logs import import_logs

    numbers = asked_numbers(precision, activations) if precision or activations else None
    results, missing = import_logs(bench, logs, device, threads, numbers)
    if missing:
        complain(f"warning: {count_of(len(missing), 'model')} of {bench} without a file, such as {missing[0]}")
    _say_next(results)


def _say_next(results: Path) -> None:
    command = shown("hardware", "import-bench", "SPACE", results)
    say(f"{results}; predict the whole space from it, or put a run folder in the place of SPACE:\n  {command}")
