"""Measures latency on another device: writes models to measure to a folder, and predicts from results.

Symbols:
    M: measured architectures.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from surrogate_nas._support.files import atomic_write, write_json, write_text
from surrogate_nas._support.model_format import INPUT
from surrogate_nas._support.optional import require_package
from surrogate_nas._support.words import first_line
from surrogate_nas.costs.number_formats import Numbers
from surrogate_nas.errors import CostTableError, MeasurementError, SettingsError
from surrogate_nas.hardware.measure.backends import onnx_model
from surrogate_nas.hardware.measure.pieces import prepare
from surrogate_nas.hardware.regression.features import latency_views
from surrogate_nas.hardware.regression.sparse import FEWEST, SparseLatency, fit_latency
from surrogate_nas.hardware.tables.device_columns import device_names
from surrogate_nas.hardware.tables.full import TableLatency
from surrogate_nas.hardware.tables.partial import needs_pieces
from surrogate_nas.hardware.tables.text_columns import read_columns
from surrogate_nas.hardware.transfer import remote_runner
from surrogate_nas.hardware.transfer.bench_folder import MANIFEST, MODEL
from surrogate_nas.hardware.transfer.design import choose_informative, design_features
from surrogate_nas.hardware.transfer.device_results import RUNNER, RemoteResults
from surrogate_nas.hardware.transfer.from_devices import Transfer
from surrogate_nas.nets.standalone import build_network
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.pool import draw
from surrogate_nas.space.space import Codes, Space


def read_known(path: Path, devices: Sequence[str], space: Space) -> NDArray[np.float64]:
    """Returns the latencies of other devices from a table of the whole space, shape (size, S), in enumeration order.

    Raises:
        CostTableError: If the table is incomplete or has no such device; without devices, all columns are taken.
    """
    names = devices or device_names(read_columns(path))
    if not names:
        raise CostTableError(f"{path} has no column of latencies; add one per device, in milliseconds")
    tables = [TableLatency(space, path, name, "ms") for name in names]
    return np.stack([table.evaluate(space.all_codes())["latency_ms"] for table in tables], axis=1)


def choose_to_measure(
    space: Space, count: int, known_ms: NDArray[np.float64] | None = None, *, or_fewer: bool = False
) -> Codes:
    """Returns connected networks, of distinct computations, that predict the rest best, shape (count, D).

    In a space too large to list, they are some of many draws; where networks differ in size, they are spread over
    multiply-accumulates, with the fewest and the most.

    Args:
        space: The space.
        count: Number of networks.
        known_ms: Latencies of other devices, shape (size, S), or None; with them ten networks suffice.
        or_fewer: Whether a space with fewer networks gives all of them.

    Raises:
        SettingsError: If the space has fewer, or a prediction needs more.
    """
    if known_ms is not None:
        everything = space.all_codes()
        # Of networks that compute the same, the one without operations that nothing uses.
        connected = space.is_connected(everything) & (space.effective(everything) == everything).all(axis=1)
        count = min(count, int(connected.sum())) if or_fewer else count
        if not 3 <= count <= connected.sum():
            raise SettingsError(f"--networks must be between 3 and {connected.sum()} (got {count})")
        rows = Transfer(latency_views(space, everything), known_ms).choose(count, connected)
        return np.asarray(everything[rows])
    every = space.all_codes() if space.listable else draw(space, _DRAWS, "balanced", np.random.default_rng(0))
    codes = np.unique(space.effective(every), axis=0)
    codes = codes[space.is_connected(codes)]
    count = min(count, len(codes)) if or_fewer else count
    if not FEWEST <= count <= len(codes):
        raise SettingsError(f"--networks must be between {FEWEST} and {len(codes)} (got {count})")
    if needs_pieces(space):
        order = np.argsort(space.flops(codes, space.network), kind="stable")
        return np.asarray(codes[order[np.linspace(0, len(order) - 1, count).round().astype(int)]])
    chosen: Codes = codes[choose_informative(design_features(latency_views(space, codes)), count)]
    return chosen


_DRAWS = 5_000  # of a space too large to list

CALIBRATION = "one batch of random numbers, as ranges of activations do not change a latency"
"""Where the ranges of activations of a bench in 8 bits come from. Its models are measured, and never deployed."""


def export_bench(
    space: Space, network: NetworkSpec, folder: Path, codes: Codes, batch: int, numbers: Numbers = "float32"
) -> list[Path]:
    """Writes the models of networks to measure, a manifest and the runner.

    Args:
        space: The space.
        network: Sizes of the networks.
        folder: A new or an empty folder.
        codes: The networks, shape (M, D).
        batch: Images per forward pass.
        numbers: What the networks compute with; in 8 bits they are quantised as for a measurement here.

    Returns:
        The files of the models.

    Raises:
        MeasurementError: If a package is not installed, or a network cannot be exported or quantised.
        SettingsError: If the folder is not empty.
    """
    require_package("onnx", "ONNX models", MeasurementError)
    if numbers != "float32":
        require_package("onnxruntime", "ONNX models", MeasurementError)
    _require_free(folder, {*(f"{digits}{MODEL}" for digits in space.digits(codes)), RUNNER})
    shape = (network.input_channels, network.image_size, network.image_size)
    models: dict[str, str] = {}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        for digits, code in zip(space.digits(codes), codes, strict=True):
            models[digits] = f"{digits}{MODEL}"
            module, example = prepare(build_network(space, code, network), shape, batch, torch.device("cpu"))
            content = _content(digits, module, example, numbers)
            with atomic_write(folder / models[digits]) as temporary:
                temporary.write_bytes(content)
    write_text(folder / RUNNER, Path(str(remote_runner.__file__)).read_text(encoding="utf-8"))
    write_json(
        folder / MANIFEST,
        {
            "schema": 1,
            "space": space.name,
            "space_fingerprint": space.fingerprint,
            "network": network.described(),
            "input": INPUT,
            "input_shape": [batch, *shape],
            "precision": numbers,
            **({} if numbers == "float32" else {"calibration": CALIBRATION}),
            "models": models,
        },
    )
    return [folder / name for name in models.values()]


def _require_free(folder: Path, names: set[str]) -> None:
    """Refuses a folder that holds anything else than a part of the same bench, which an interrupted export left there.

    The manifest is written last, so a folder without one is no bench yet.

    Raises:
        SettingsError: If it holds anything else.
    """
    if folder.exists() and (not folder.is_dir() or not {path.name for path in folder.iterdir()} <= names):
        raise SettingsError(f"{folder} must be a new or an empty folder")


def _content(digits: str, module: Callable[[Tensor], Tensor], example: Tensor, numbers: Numbers) -> bytes:
    try:
        return onnx_model(module, example, numbers)
    except MeasurementError:
        raise
    except Exception as error:  # the quantiser raises errors of any class
        raise MeasurementError(
            f"the network {digits} cannot be quantised: {first_line(error)}; export the bench in float32"
        ) from error


def predict_space(space: Space, results: RemoteResults, seed: int) -> tuple[SparseLatency, NDArray[np.float64]]:
    """Returns the latency of every architecture, and the errors of left-out networks with the drift added.

    The models were written without dead operations, so predictions hold for effective codes.
    """
    everything = space.all_codes()
    distinct, inverse = np.unique(space.effective(everything), axis=0, return_inverse=True)
    place = {digits: row for row, digits in enumerate(space.digits(distinct))}
    rows = np.array([place[digits] for digits in space.digits(space.effective(results.codes))])
    fit = fit_latency(latency_views(space, distinct), rows, results.median_ms, seed=seed)
    spread = SparseLatency(fit.predicted_ms[inverse.reshape(-1)], fit.errors, fit.views, fit.loss)
    return spread, fit.errors + results.drift


def transfer_to_space(
    space: Space, results: RemoteResults, known_ms: NDArray[np.float64]
) -> tuple[SparseLatency, NDArray[np.float64]]:
    """Returns the same from a few measurements and the latencies of other devices, shape (size, S)."""
    transfer = Transfer(latency_views(space, space.all_codes()), known_ms)
    rows = space.index(results.codes)
    errors = transfer.errors(rows, results.median_ms)
    fit = SparseLatency(transfer.predict(rows, results.median_ms), errors, ("other devices",), "squares")
    return fit, errors + results.drift
