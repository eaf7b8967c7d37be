"""Command line of costs: profile this machine, check a table, measure on another device.

python -m surrogate_nas.hardware profile nasbench201 --device cpu --budget 5ms
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import typer
from numpy.typing import NDArray

from surrogate_nas._support.cache_folder import expanded
from surrogate_nas._support.commands import quoted, shown
from surrogate_nas._support.files import as_file_name
from surrogate_nas._support.words import count_of
from surrogate_nas.cli import completion
from surrogate_nas.cli.benches.cost_options import (
    MOST,
    Batch,
    Budget,
    Cells,
    Channels,
    Classes,
    Confidence,
    ImageSize,
    InputChannels,
    Like,
    LikeDevices,
    Output,
    SpaceName,
    SpaceOrRun,
)
from surrogate_nas.cli.benches.device_commands import BenchActivations, asked_numbers, measure, read_logs
from surrogate_nas.cli.benches.result_lines import (
    Said,
    check_lines,
    compare_winners,
    require_budget,
    say_measured,
    say_predicted,
)
from surrogate_nas.cli.command_line import AsJson, Version, complain, in_home, new_app, run_command, say
from surrogate_nas.costs.number_formats import Activations, Precision
from surrogate_nas.errors import CostTableError, RunFolderError, SettingsError
from surrogate_nas.space.load import load_space
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.space import Space

# What needs torch is imported where it is used: checking a table does without.
app = new_app()

_NETWORKS, _NETWORKS_LIKE = 60, 10


@app.callback()
def _commands(version: Version = False) -> None:
    """Profiles this machine, checks latency tables, and measures other devices."""


# Long because an option is a parameter.
@app.command()
def profile(
    space: SpaceName,
    device: Annotated[
        str,
        typer.Option(metavar="DEVICE", help="Device: auto, cpu, cuda[:n] or mps.", autocompletion=completion.devices),
    ] = "auto",
    budget: Budget = None,
    confidence: Confidence = 0.95,
    backend: Annotated[
        Literal["auto", "onnx", "eager", "exported", "compiled"],
        typer.Option(help="Runtime that is measured: onnx is ONNX Runtime, the others are PyTorch."),
    ] = "auto",
    precision: Annotated[Precision, typer.Option(help="Numbers that networks compute with.")] = "float32",
    activations: Annotated[
        Activations, typer.Option(help="Feature maps of int8: signed is for microcontrollers and NPUs.")
    ] = "unsigned",
    batch: Batch = 1,
    threads: Annotated[int, typer.Option(metavar="N", min=1, max=1024, help="CPU threads.")] = 1,
    networks: Annotated[int, typer.Option(metavar="N", min=4, max=1000, help="Networks to measure as a whole.")] = 16,
    channels: Channels = None,
    cells: Cells = None,
    image_size: ImageSize = None,
    input_channels: InputChannels = 3,
    classes: Classes = 10,
    seed: Annotated[int, typer.Option(metavar="N", min=0, max=2**31 - 1, help="Seed of the choice of networks.")] = 0,
    output: Output = None,
    remeasure: Annotated[
        bool, typer.Option("--remeasure", help="Measure again what this machine has measured before.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Predicts the latency of every architecture on this machine and writes the table that a study takes."""
    from surrogate_nas.hardware.measure.bench import Bench
    from surrogate_nas.hardware.measure.profile import ProfiledLatency
    from surrogate_nas.hardware.settings import HardwareSettings
    from surrogate_nas.hardware.tables.predicted import require_parquet, write_predicted

    if output is not None:
        require_parquet(output)  # before anything is measured
    require_budget(budget)
    asked_numbers(precision, None if activations == "unsigned" else activations)
    loaded = load_space(space)
    if not loaded.listable:
        raise SettingsError(
            f"{loaded.name} has too many architectures for a table of all of them; run a study, which predicts the"
            " latency of each architecture that it meets"
        )
    network = _network(loaded, channels, cells, image_size, input_channels, classes)
    settings = HardwareSettings(
        device=device,
        backend=backend,
        precision=precision,
        activations=activations,
        batch=batch,
        threads=threads,
        whole_networks=networks,
        confidence=confidence,
        remeasure=remeasure,
    )
    model = ProfiledLatency(
        loaded, network, Bench(loaded, network, settings), whole_networks=networks, seed=seed, on_progress=_progress
    )
    said = {**model.describe()["latency_ms"], "network": network.described()}
    for note in said["notes"]:
        complain(f"warning: {note}")
    values, errors = model.evaluate(loaded.all_codes())["latency_ms"], model.held_out_errors("latency_ms")
    name = as_file_name(str(said["device"]).replace(":", ""))
    path = output or Path(f"{loaded.name}-{name}.parquet")
    write_predicted(path, loaded, {name: values}, {name: errors}, said)
    say_predicted(Said(loaded, name, path, said, values, budget, as_json), errors, confidence)


@app.command("check-table")
def check_table_command(
    space: SpaceName,
    table: Annotated[
        Path,
        typer.Argument(
            callback=in_home, metavar="TABLE", help="CSV or Parquet with a column code or arch, and one per device."
        ),
    ],
    unit: Annotated[
        Literal["auto", "s", "ms", "us"],
        typer.Option(help="Unit of the latencies, as the study's hardware.latency_unit."),
    ] = "auto",
    as_json: AsJson = False,
) -> None:
    """Lists everything that is wrong with a table; exit code 2 if a study could not use all of it."""
    from dataclasses import asdict

    from surrogate_nas.hardware.tables.table_check import check_table

    check = check_table(table, load_space(space), unit)
    if as_json:
        # JSON has no NaN, which stands for columns without any number.
        content = json.loads(json.dumps(asdict(check), default=str), parse_constant=lambda _: None)
        say(json.dumps(content | {"good": check.good}, indent=2))
    else:
        say("\n".join(check_lines(check)))
    if not check.good:
        raise CostTableError(f"{table} cannot be used yet: correct the rows and columns named above")


@app.command("export-bench")
def export_bench_command(
    context: typer.Context,
    space: SpaceOrRun,
    folder: Annotated[
        Path, typer.Argument(callback=in_home, metavar="FOLDER", help="New folder for models, manifest and measure.py.")
    ],
    networks: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            max=MOST,
            help="Networks to measure. Without it: 60, or 10 with a table of other devices.",
        ),
    ] = None,
    like: Like = None,
    like_devices: LikeDevices = "",
    precision: Annotated[
        Precision | None,
        typer.Option(help="Numbers that networks compute with. Without it: float32, or as the study of a run folder."),
    ] = None,
    activations: BenchActivations = None,
    batch: Batch = 1,
    channels: Channels = None,
    cells: Cells = None,
    image_size: ImageSize = None,
    input_channels: InputChannels = 3,
    classes: Classes = 10,
) -> None:
    """Writes ONNX models and a small runner for another device: of a space, or the finalists of a run folder."""
    from surrogate_nas.deploy.winners import is_run, read_winners
    from surrogate_nas.hardware.transfer.device_results import RUNNER
    from surrogate_nas.hardware.transfer.remote import CALIBRATION, choose_to_measure, export_bench

    _refuse_unfinished(expanded(space))
    if is_run(expanded(space)):
        _refuse_options(context, space)
        winners = read_winners(expanded(space))
        numbers = winners.numbers
        models = export_bench(winners.space, winners.network, folder, winners.codes, winners.batch, numbers)
    else:
        numbers = asked_numbers(precision or "float32", activations)
        loaded = load_space(space)
        network = _network(loaded, channels, cells, image_size, input_channels, classes)
        known = _known(loaded, like, like_devices)
        most = _NETWORKS if known is None else _NETWORKS_LIKE
        codes = choose_to_measure(loaded, networks or most, known, or_fewer=networks is None)
        models = export_bench(loaded, network, folder, codes, batch, numbers)
    again = ["--like", like, *(["--like-devices", like_devices] if like_devices else [])] if like else []
    size = sum(path.stat().st_size for path in models) / 1e6
    if numbers != "float32":
        say(f"models are in {numbers}; they were calibrated with {CALIBRATION}")
    say(
        f"{count_of(len(models), 'model')} ({size:.0f} MB) in {folder}; measure over ssh, or copy the folder to the"
        " device, which needs numpy and onnxruntime:\n"
        f"  {shown('hardware', 'measure', folder, '--ssh', 'USER@HOST', '--device', 'NAME')}\n"
        f"  {quoted(['python', str(folder / RUNNER), '--device', 'NAME'])}\n"
        f"then, with its results:\n"
        f"  {shown('hardware', 'import-bench', space, 'results.csv', *again)}"
    )


app.command("measure")(measure)
app.command("read-logs")(read_logs)


@app.command("import-bench")
def import_bench_command(
    context: typer.Context,
    space: SpaceOrRun,
    results: Annotated[Path, typer.Argument(callback=in_home, metavar="RESULTS", help="results.csv of the device.")],
    budget: Budget = None,
    confidence: Confidence = 0.95,
    like: Like = None,
    like_devices: LikeDevices = "",
    seed: Annotated[int, typer.Option(metavar="N", min=0, max=2**31 - 1, help="Seed of the cross-validation.")] = 0,
    output: Output = None,
    as_json: AsJson = False,
) -> None:
    """Predicts the latency of every architecture on the device and writes a table; of a run, compares its finalists."""
    from surrogate_nas.deploy.winners import is_run
    from surrogate_nas.hardware.regression.sparse import FEWEST
    from surrogate_nas.hardware.tables.latency_units import unlikely_unit
    from surrogate_nas.hardware.tables.predicted import require_parquet, write_predicted
    from surrogate_nas.hardware.transfer.device_results import read_results
    from surrogate_nas.hardware.transfer.remote import predict_space, transfer_to_space
    from surrogate_nas.hardware.transfer.tool_logs import TOOLS

    _refuse_unfinished(expanded(space))
    if is_run(expanded(space)):
        _refuse_options(context, space)
        compare_winners(expanded(space), results, as_json)
        return
    require_budget(budget)
    if output is not None:
        require_parquet(output)
    loaded = load_space(space)
    if not loaded.listable:
        _refuse_without_effect(context, loaded, "confidence", "seed")
    known = _known(loaded, like, like_devices)
    measured = read_results(results, loaded, FEWEST if known is None else 3)
    if measured.noisy:
        complain(f"warning: {count_of(measured.noisy, 'measurement')} never settled and are left out")
    # The runner writes milliseconds; what other programs print may have been read in another unit.
    unit = unlikely_unit(measured.median_ms) if measured.facts["provider"] in TOOLS else None
    if unit is not None:
        complain(
            f"warning: the median is {np.median(measured.median_ms):.3g} ms; if these are {unit}, correct the columns"
            " median_ms, iqr_ms and again_ms"
        )
    path = output or Path(f"{as_file_name(f'{loaded.name}-{measured.device}')}.parquet")
    if not loaded.listable:
        calm = {"networks_measured": len(measured.codes), "noisy": measured.noisy, "drift": measured.drift}
        facts = {**measured.facts, **calm}
        write_predicted(path, loaded, {measured.device: measured.median_ms}, {}, facts, measured.codes)
        say_measured(Said(loaded, measured.device, path, facts, measured.median_ms, budget, as_json))
        return
    fit, errors = predict_space(loaded, measured, seed) if known is None else transfer_to_space(loaded, measured, known)
    said: dict[str, Any] = {
        "device": measured.device,
        **measured.facts,
        "networks_measured": len(measured.codes),
        "noisy": measured.noisy,
        "drift": measured.drift,
        "relative_error": fit.relative_error + measured.drift,
        "views": list(fit.views),
    }
    write_predicted(path, loaded, {measured.device: fit.predicted_ms}, {measured.device: errors}, said)
    say_predicted(Said(loaded, measured.device, path, said, fit.predicted_ms, budget, as_json), errors, confidence)


def _refuse_unfinished(folder: Path) -> None:
    """Refuses the run folder of a study that has no finalists yet.

    Raises:
        RunFolderError: With the command that continues the study.
    """
    from surrogate_nas.deploy.winners import is_run
    from surrogate_nas.runs.run_folder import RunFolder
    from surrogate_nas.study.ask.request import resume_command

    if folder.is_dir() and RunFolder(folder).study.is_file() and not is_run(folder):
        raise RunFolderError(f"the study in {folder} is not finished; continue it with: {resume_command(folder)}")


def _refuse_options(context: typer.Context, run: str) -> None:
    """Refuses every option but ``--json`` with a run folder, which says what is measured and how it is deployed.

    Raises:
        SettingsError: If one is given.
    """
    given = []
    for one in context.command.params:
        source = context.get_parameter_source(one.name) if one.name not in (None, "as_json") else None
        if one.opts[0].startswith("-") and source is not None and source.name == "COMMANDLINE":
            given.append(one.opts[0])
    if given:
        raise SettingsError(
            f"{run} is a run folder, which sets networks, sizes, precision and budgets; leave out {', '.join(given)}"
        )


def _refuse_without_effect(context: typer.Context, space: Space, *names: str) -> None:
    """Refuses options that say how to predict all architectures, in a space whose studies do that.

    Raises:
        SettingsError: If one is given.
    """
    for name in names:
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            raise SettingsError(
                f"--{name} has no effect in {space.name}, which is too large to enumerate: a study predicts its"
                f" latencies. Leave --{name} out here"
            )


def _known(space: Space, table: Path | None, devices: str) -> NDArray[np.float64] | None:
    """Returns latencies of other devices, shape (size, S), where a table of them is given."""
    if table is None:
        if devices:
            raise SettingsError("--like-devices names columns of a table of other devices; add --like TABLE")
        return None
    if not space.listable:
        raise SettingsError(
            f"--like needs a space small enough to enumerate, and {space.name} is not: leave it out, and measure"
            f" {_NETWORKS} networks"
        )
    from surrogate_nas.hardware.transfer.remote import read_known

    return read_known(table, [name.strip() for name in devices.split(",") if name.strip()], space)


def _network(
    space: Space, channels: int | None, cells: int | None, image_size: int | None, input_channels: int, classes: int
) -> NetworkSpec:
    own = space.network
    return NetworkSpec(
        channels or own.channels, cells or own.cells, image_size or own.image_size, input_channels, classes, own.stages
    )


def _progress(what: str, done: int, total: int) -> None:
    if sys.stderr.isatty():
        typer.echo(f"\r{what}: {done} of {total} rounds ", err=True, nl=done == total)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit code."""
    return run_command(app, "python -m surrogate_nas.hardware", arguments)
