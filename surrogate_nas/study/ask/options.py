"""The options of a study, the same on the command line and in Python, and the settings that they stand for."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict

from surrogate_nas._support.words import choose_from
from surrogate_nas.costs.cost import BOUNDED, COSTS
from surrogate_nas.data.sources import SOURCES
from surrogate_nas.errors import SettingsError
from surrogate_nas.runs.study_file import parse_text


class Options(TypedDict, total=False):
    """Options of a study, in addition to its settings by key; an option that is None is not set.

    Attributes:
        data: Folder of images, one sub-folder per class, or a data set by name.
        latency_budget: Such as ``"5ms"`` or ``"40%"``; several are budgets on devices, such as ``"raspi4=30ms"``.
        flops_budget: Such as ``"50M"``.
        params_budget: Such as ``"1M"``.
        memory_budget: Such as ``"2MB"``.
        ram_budget: RAM of a microcontroller or NPU, such as ``"256KB"``.
        flash_budget: Its flash, such as ``"1MB"``.
        energy_budget: Such as ``"5mJ"``.
        also_budget: Other budgets to answer from the same study, such as ``"latency=3ms"``.
        confidence: With which a predicted latency is to meet its budget.
        trainings: Short trainings of finalists to learn from.
        rivals: Off-the-shelf networks to train as finalists are trained.
        latency_table: CSV or Parquet file with latencies of another device.
        device: Whose latency counts.
        precision: Of the deployed network: ``"float32"`` or ``"int8"``.
        planner: Tool that says how much RAM and flash a network takes: ``"none"`` for a count, ``"tflite_micro"``,
            ``"vela"`` or ``"executorch"``.
        compute_device: Where supernets are trained.
        cluster: Ray cluster that trains: ``"auto"``, or ``"ray://HOST:PORT"``.
        weights: Pretrained weights that supernets begin with: a file, ``torchvision:NAME`` or ``timm:NAME``.
        truth: CSV file with accuracies of trained networks, for the report.
        truth_column: Its column.
        seed: Every random draw comes from it.
    """

    data: str | Path | None
    latency_budget: str | Sequence[str] | None
    flops_budget: str | None
    params_budget: str | None
    memory_budget: str | None
    ram_budget: str | Sequence[str] | None
    flash_budget: str | Sequence[str] | None
    energy_budget: str | None
    also_budget: str | Sequence[str] | None
    confidence: float | None
    trainings: int | None
    rivals: int | None
    latency_table: str | Path | None
    device: str | None
    precision: str | None
    planner: str | None
    compute_device: str | None
    cluster: str | None
    weights: str | Path | None
    truth: str | Path | None
    truth_column: str | None
    seed: int | None


_KEYS = {COSTS[name].keyword: f"budget.{key}" for key, name in BOUNDED.items()} | {
    "also_budget": "budget.also",
    "confidence": "hardware.confidence",
    "trainings": "loop.trainings",
    "rivals": "rivals.train",
    "latency_table": "hardware.latency_table",
    "device": "hardware.device",
    "precision": "hardware.precision",
    "planner": "hardware.planner",
    "compute_device": "compute.device",
    "cluster": "compute.cluster",
    "weights": "supernet.weights_from",
    "truth": "truth.file",
    "truth_column": "truth.column",
    "seed": "seed",
}


def overrides_of(
    options: Options,
    settings: Mapping[str, Any] | None = None,
    budgets: Mapping[str, str | None] | None = None,
) -> dict[str, Any]:
    """Returns values by the dotted key of their setting.

    Args:
        options: The user's options. Settings may refine the data, and nothing else.
        settings: Settings by key.
        budgets: Budgets by the key of their cost, such as ``{"latency": "5ms"}``; they are options too.

    Raises:
        SettingsError: If there is no such option, or an option and a setting say the same thing.
    """
    asked = dict(options) | {COSTS[BOUNDED[key]].keyword: value for key, value in (budgets or {}).items()}
    known = ["data", *_KEYS]
    unknown = [name for name in asked if name not in known]
    if unknown:
        raise SettingsError(f"unknown option {unknown[0]!r}; {choose_from(known, unknown[0])}")
    data = options.get("data")
    overrides = _data(str(data)) if data is not None else {}
    overrides |= settings or {}
    for name, key in _KEYS.items():
        value = asked.get(name)
        if value is None:
            continue
        if settings and key in settings:
            option = f"--{name.replace('_', '-')}"
            raise SettingsError(f"{option} and --set {key} exclude each other; use one of them")
        overrides[key] = _value(name, value)
    return overrides


def _value(name: str, value: object) -> object:
    several = isinstance(value, Sequence) and not isinstance(value, str)
    if name == "also_budget":
        # A set that is given twice is one.
        return list(dict.fromkeys(value)) if several else [value]  # type: ignore[call-overload]
    if several:
        return parse_text(", ".join(value)) if value else None  # type: ignore[arg-type]
    return parse_text(str(value)) if isinstance(value, str | Path) else value


def _data(data: str) -> dict[str, Any]:
    """Returns settings of the data: a data set of that name, from its usual place, or else a folder."""
    if data in SOURCES and data != "folder":
        return {"data.source": data, "data.path": None}
    return {"data.source": "folder", "data.path": data}
