"""Every format that the program reads: where a good file is, how it is changed, and what reads it."""

import io
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import torch
from PIL import Image

from benchmarks.breaking import readers
from benchmarks.breaking.containers import (
    Change,
    changed_array,
    changed_image,
    changed_labels,
    changed_model,
    changed_parquet,
    changed_pickles,
    changed_tensors,
)
from benchmarks.breaking.hostile import changed_bytes, changed_csv, changed_json, changed_lines, changed_toml
from benchmarks.breaking.unsealed import unsealed_bytes
from surrogate_nas._support.definitions import available, find_definition
from surrogate_nas._support.tensor_files import write_tensors
from surrogate_nas.gradient.learning import run_learning
from surrogate_nas.hardware.measurement import Measurement
from surrogate_nas.hardware.transfer.remote_runner import COLUMNS
from surrogate_nas.space.class_table import ClassTable
from surrogate_nas.study.problem.finalist_latencies import FinalistLatencies, write_finalist_latencies
from surrogate_nas.zero_cost.table import write_table

OUTSIDE, RAN = "outside", "ran"
"""The folder beside the one that is read, where nothing may happen, and the file that a stranger's program writes."""

_PROGRAM = b'program = "evil.py"\n'
_RUN = ("study.toml", "space.toml", "environment.json", "lookup.*", "report.json")
_BEST = ("best/*",)


@dataclass(frozen=True)
class Format:
    """A format, and a folder in which one file of it is replaced.

    Attributes:
        target: The file, relative to the folder; of several that fit a pattern, each in turn.
        change: Makes a hostile file of a good one.
        read: Reads the folder as a command does.
        parts: Patterns of the files of a run that belong into the folder.
        seal: Renews checksums elsewhere in the folder.
        words: Words of a command that reads the folder; ``{at}`` is the folder, ``{file}`` the hostile file.
    """

    target: str
    change: Change
    read: readers.Read
    parts: tuple[str, ...] = ()
    seal: Callable[[Path], None] | None = None
    words: tuple[str, ...] = ("report", "{at}")


_RESUME = ("study", "--output-dir", "{at}", "--resume")
_LOOKUP = ("lookup", "{at}", "--params-budget", "50%")
_PREDICT = ("predict", "{at}/best", "{at}/picture.png")
_TRUTH = ("study", "--set", "space=quick", "--truth", "{file}", "--output-dir", "{at}/new")
_CHECK = ("hardware", "check-table", "{file}", "--space", "quick")
_IMPORT = ("hardware", "import-bench", "quick", "{file}")
_TRAIN = ("train", "{at}", "--arch", "0000000000")
_WHOLE = ("*",)
FORMATS: dict[str, Format] = {
    "study": Format("study.toml", changed_toml, readers.a_study, _RUN, words=("study", "{file}", "--dry-run")),
    "space": Format("space.toml", changed_toml, readers.a_space, _RUN, words=_TRAIN),
    "labels": Format("labels.h5", changed_labels, readers.some_labels, ("labels.h5",), words=_RESUME),
    "lookup-json": Format("lookup.json", changed_json, readers.a_lookup, _RUN, words=_LOOKUP),
    "lookup-parquet": Format(
        "lookup.parquet", changed_parquet, readers.a_lookup, _RUN, readers.seal_lookup, words=_LOOKUP
    ),
    "model-json": Format("best/model.json", changed_json, readers.a_model, _BEST, words=_PREDICT),
    "model-weights": Format("best/model.safetensors", changed_tensors, readers.a_model, _BEST, words=_PREDICT),
    "onnx": Format("best/model.onnx", changed_model, readers.an_onnx, _BEST, words=_PREDICT),
    "checkpoint": Format(
        "supernets/member-0.safetensors", changed_tensors, readers.a_supernet, ("supernets/*",), words=_RESUME
    ),
    "training": Format("training.safetensors", changed_tensors, readers.a_training, _BEST, words=_PREDICT),
    "predictor": Format("predictor/predictor.json", changed_json, readers.a_predictor, ("predictor/*",), words=_RESUME),
    "predictor-numbers": Format(
        "predictor/predictor-*.safetensors",
        changed_tensors,
        readers.a_predictor,
        ("predictor/*",),
        readers.seal_predictor,
        words=_RESUME,
    ),
    "picture": Format("picture.png", changed_image, readers.a_picture, _BEST, words=_PREDICT),
    "images": Format("images/*.npy", changed_array, readers.cached_images, ("images/*",), words=_RESUME),
    "images-index": Format("images/splits.json", changed_json, readers.cached_images, ("images/*",), words=_RESUME),
    "costs": Format("costs.parquet", changed_parquet, readers.some_costs, ("costs.parquet",), words=_RESUME),
    "accuracy-csv": Format("table.csv", changed_csv, readers.an_accuracy_table, words=_TRUTH),
    "accuracy-parquet": Format("table.parquet", changed_parquet, readers.an_accuracy_table, words=_TRUTH),
    "latency-csv": Format("table.csv", changed_csv, readers.a_latency_table, words=_CHECK),
    "latency-parquet": Format("table.parquet", changed_parquet, readers.a_latency_table, words=_CHECK),
    "device-results": Format("results.csv", changed_csv, readers.device_results, words=_IMPORT),
    "device-kept": Format("results.csv.part", changed_csv, readers.kept_measurements),
    "tool-log": Format("000123.txt", changed_bytes, readers.a_tool_log),
    "weights": Format("weights.safetensors", changed_tensors, readers.weights_of_others),
    "weights-torch": Format("weights.pt", changed_pickles, readers.weights_of_others),
    "finalist-latencies": Format(
        "finalist_latencies.json", changed_json, readers.latencies_of_finalists, words=_RESUME
    ),
    "distribution": Format(
        "supernets/gradient/member-0.safetensors", changed_tensors, readers.a_distribution, ("images/*",), words=_RESUME
    ),
    "zero-cost": Format("scores.safetensors", changed_tensors, readers.zero_cost_scores),
    "journal": Format("search.journal", changed_lines, readers.a_journal, words=_RESUME),
    "trainings": Format("trainings.journal", changed_lines, readers.trained_finalists, words=_RESUME),
    "state": Format("state.json", changed_json, readers.a_state, words=_RESUME),
    "report": Format("report.json", changed_json, readers.a_report, _RUN),
    "rivals": Format("rivals.json", changed_json, readers.some_rivals, words=_RESUME),
}


def lay_out(name: str, run: Path, at: Path) -> None:
    """Makes the folder of a format from a finished run whose answer was trained: all good, and a program of strangers.

    Args:
        name: Name of the format.
        run: The run.
        at: A new folder.
    """
    one = FORMATS[name]
    at.mkdir(parents=True)
    outside = at.parent / OUTSIDE
    outside.mkdir(exist_ok=True)
    for labels in run.glob("labels.h5"):
        shutil.copy(labels, outside / "other.h5")
    evil = f"open({str(outside.absolute() / RAN)!r}, 'w').close()\n"
    for pattern in one.parts:
        for path in sorted(run.glob(pattern)):
            (at / path.relative_to(run)).parent.mkdir(exist_ok=True)
            shutil.copy(path, at / path.relative_to(run))
    for path in (*run.glob(one.target), *run.glob(f"models/*/{one.target}")):
        (at / one.target).parent.mkdir(exist_ok=True)
        if "*" not in one.target:
            shutil.copy(path, at / one.target)
    if one.target.endswith(".journal"):
        shutil.copy(at / one.target, at / "good.journal")
        (at / "trainings").mkdir()
    for place in (at, at / "best"):
        if place.is_dir():
            (place / "space.py").write_text(evil, encoding="utf-8")
            (place / "evil.py").write_text(evil, encoding="utf-8")
    if name == "study":
        # The study comes first, and names a space that would run a program.
        (at / "space.toml").write_bytes(_PROGRAM + (at / "space.toml").read_bytes())
    if (made := _MADE.get(one.target)) is not None:
        made(at / one.target)


def seeds(name: str, at: Path) -> list[tuple[Path, bytes]]:
    """Returns good files: the place of each in the folder, and its content without a checksum."""
    one = FORMATS[name]
    found = [(path, path.read_bytes()) for path in sorted(at.glob(one.target))]
    if one.seal is None:
        found = [(path, unsealed_bytes(path.suffix, content)) for path, content in found]
    if name in ("study", "space"):
        kind = {"study": "studies", "space": "spaces"}[name]
        program = _PROGRAM if name == "space" else b'space = "space.toml"\n'
        others = [find_definition(kind, other).read_bytes() for other in available(kind)]
        own = found[0][1].replace(b"space = ", b"# ", 1) if name == "study" else found[0][1]
        found += [(at / one.target, content) for content in (*others, program + own)]
    return found


def _accuracies(path: Path) -> None:
    space = readers.the_space()
    rows = [f"{code},{60 + row % 30}.5" for row, code in enumerate(space.digits(space.all_codes()))]
    text = "\n".join(["code,accuracy", *rows]) + "\n"
    if path.suffix == ".csv":
        path.write_text(text, encoding="utf-8")
    else:
        types = pa_csv.ConvertOptions(column_types={"code": "string"})
        pq.write_table(pa_csv.read_csv(io.BytesIO(text.encode()), convert_options=types), path)


def _results(path: Path) -> None:
    space = readers.the_space()
    head = ",".join(COLUMNS)
    network = '"{""channels"": 4, ""cells"": 1, ""image_size"": 8}"'
    tail = f"phone,1,1,CPU,onnxruntime 1.20,2026-01-01,{space.fingerprint},{network},float32"
    rows = [
        f"{code},{1 + row / 7:.3f},0.01,9,0,False,{1 + row / 7:.3f},{tail}"
        for row, code in enumerate(space.digits(space.all_codes())[:12])
    ]
    path.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")


def _scores(path: Path) -> None:
    space = readers.the_space()
    codes = np.unique(space.canonical(space.all_codes()), axis=0)
    values = np.random.default_rng(0).random((len(codes), 2))
    write_table(path, ClassTable(space, ("a", "b"), codes, values), "x")


def _log(path: Path) -> None:
    path.write_text("Inference timings in us: Init: 5, First inference: 9, Inference (avg): 7.25\n", encoding="utf-8")


def _weights(path: Path) -> None:
    tensors = {"stem.weight": torch.ones(4, 3, 3, 3), "head.bias": torch.zeros(10), "steps": torch.tensor(5)}
    if path.suffix == ".pt":
        torch.save(tensors, path)
    else:
        write_tensors(path, tensors, {})


def _latencies(path: Path) -> None:
    space = readers.the_space()
    made = [Measurement(1.0 + row / 7, 0.01, 9, 0, False, "2026-01-01T00:00:00+00:00") for row in range(5)]
    names = space.digits(space.all_codes()[:5])
    latencies = FinalistLatencies(dict(zip(names, made, strict=True)), frozenset(names[:2]))
    write_finalist_latencies(path, "x", latencies)


def _distribution(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    run_learning(readers.the_learning_job(path.parents[2]), lambda _: None, lambda: False)


def _rivals(path: Path) -> None:
    record = {"accuracy_percent": 90.0, "low": 88.0, "high": 92.0}
    better = {"budgets": {"params": 1e3}, "found": "0000", "found_percent": 91.0, "rival_percent": 90.0}
    comparison = {**better, "rival": "ResNet", "better": "undecided"}
    content = {"schema_version": 1, "inputs": "x", "trained": {"resnet20": record}, "comparisons": [comparison]}
    path.write_text(json.dumps(content), encoding="utf-8")


_MADE: dict[str, Callable[[Path], None]] = {
    "table.csv": _accuracies,
    "table.parquet": _accuracies,
    "results.csv": _results,
    "results.csv.part": _results,
    "000123.txt": _log,
    "weights.safetensors": _weights,
    "weights.pt": _weights,
    "finalist_latencies.json": _latencies,
    "supernets/gradient/member-0.safetensors": _distribution,
    "scores.safetensors": _scores,
    "rivals.json": _rivals,
    "picture.png": lambda path: Image.new("RGB", (12, 9)).save(path),
}
