"""The writers of a run folder that replace something whole, each with an old and a new content."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import torch

from benchmarks.breaking.crash_points import Writer, digest
from benchmarks.breaking.readers import SPACE, the_network, the_space
from surrogate_nas._support.files import parse_json, write_json
from surrogate_nas._support.model_format import DESCRIPTION, ONNX, WEIGHTS
from surrogate_nas._support.tensor_files import read_tensors, write_tensors
from surrogate_nas.data.cache import load_splits, save_splits
from surrogate_nas.export.model_folder import copy_model, read_model
from surrogate_nas.hardware.tables.stored import StoredCosts, read_costs, write_costs
from surrogate_nas.labels.records import LabelBatch, LabelIdentity
from surrogate_nas.labels.store import LabelStore, read_labels
from surrogate_nas.lookup.table import LookupTable
from surrogate_nas.predictor.predictor import load_predictor
from surrogate_nas.runs.study_file import read_resolved, read_study, write_study
from surrogate_nas.space.class_table import ClassTable
from surrogate_nas.space.pool import whole_pool
from surrogate_nas.supernet.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from surrogate_nas.zero_cost.table import read_table, write_table


def writers(run: Path, folder: Path) -> dict[str, Writer]:
    """Returns the writers by name.

    Args:
        run: A finished run, whose answer was trained.
        folder: Keeps what is written.
    """
    return {
        "best/": _best(run, folder),
        "lookup": _lookup(run),
        "predictor": _predictor(run),
        "images": _images(run),
        **independent_writers(),
    }


def independent_writers() -> dict[str, Writer]:
    """Returns the writers by name for which no run is needed."""
    return {
        "costs": _costs(),
        "checkpoint": _checkpoint(),
        "labels": _labels(),
        "zero-cost scores": _scores(),
        "study.toml": Writer(
            lambda at: write_study(at / "study.toml", read_study("quickstart", {})),
            lambda at: write_study(at / "study.toml", read_study("quickstart", {"seed": 7})),
            lambda at: read_resolved(at / "study.toml", {}).seed,
        ),
    }


def _best(run: Path, folder: Path) -> Writer:
    new, old = folder / "new-model", folder / "old-model"
    for place in (new, old):
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(run / "best", place)
    tensors, texts = read_tensors(old / WEIGHTS)
    write_tensors(old / WEIGHTS, {name: torch.zeros_like(one) for name, one in tensors.items()}, texts)
    model = onnx.load(old / ONNX)
    model.doc_string = "another one"
    onnx.save(model, old / ONNX)
    write_json(old / DESCRIPTION, {**parse_json((old / DESCRIPTION).read_bytes()), "created_with": "another one"})

    def read(at: Path) -> object:
        made = read_model(at / "best").content["created_with"]
        return made, digest(at / "best" / WEIGHTS, at / "best" / ONNX)

    return Writer(lambda at: copy_model(old, at / "best"), lambda at: copy_model(new, at / "best"), read, True)


def _lookup(run: Path) -> Writer:
    table = LookupTable.load(run)
    entries = [table.entry(row) for row in range(len(table) // 2)]
    smaller = LookupTable.build(
        replace(table.metadata, seed=7),
        codes=[one.code for one in entries],
        architectures=[one.architecture for one in entries],
        canonical=[one.code for one in entries],
        score=np.arange(len(entries)),
        predicted_accuracy_percent=[one.predicted_accuracy_percent for one in entries],
        accuracy_std_percent=[one.accuracy_std_percent for one in entries],
        costs={name: [one.costs[name] for one in entries] for name in table.costs},
    )

    def read(at: Path) -> object:
        found = LookupTable.load(at)
        return found.metadata.seed, len(found)

    return Writer(smaller.write, table.write, read)


def _predictor(run: Path) -> Writer:
    new = load_predictor(run / "predictor", the_space())
    old = replace(new, calibration=replace(new.calibration, slope=new.calibration.slope * 2))

    def read(at: Path) -> object:
        return load_predictor(at / "predictor", the_space()).calibration

    return Writer(lambda at: old.save(at / "predictor"), lambda at: new.save(at / "predictor"), read)


def _images(run: Path) -> Writer:
    new = load_splits(run / "images")
    old = replace(new, fingerprint="0" * 16, train=new.validation)

    def read(at: Path) -> object:
        found = load_splits(at / "images")
        return found.fingerprint, len(found.train)

    return Writer(lambda at: save_splits(at / "images", old), lambda at: save_splits(at / "images", new), read)


def _costs() -> Writer:
    pool = whole_pool(the_space())

    def costs(value: float) -> StoredCosts:
        return StoredCosts(pool, {"params": np.full(len(pool.codes), float(value))}, {"params": None}, {"params": {}})

    def read(at: Path) -> object:
        return read_costs(at / "costs.parquet", the_space(), the_network()).evaluate(pool.codes)["params"].sum()

    def write(at: Path, value: float) -> None:
        write_costs(at / "costs.parquet", the_network(), costs(value))

    return Writer(lambda at: write(at, 1), lambda at: write(at, 2), read)


def _checkpoint() -> Writer:
    def write(at: Path, step: int) -> None:
        tensors = {"weight": torch.full((100,), float(step))}
        save_checkpoint(at / "member.safetensors", Checkpoint(step, tensors, [], torch.zeros(1)), {"space": SPACE})

    def read(at: Path) -> object:
        found = load_checkpoint(at / "member.safetensors", {"space": SPACE})
        return found.step, float(found.weights["weight"].sum())

    return Writer(lambda at: write(at, 1), lambda at: write(at, 2), read)


def _labels() -> Writer:
    space = the_space()
    identity = LabelIdentity.of_space(space, data_fingerprint="x", code_version="y")

    def fill(at: Path, count: int) -> None:
        """Adds what is missing to so many labels, as a resumed stage does."""
        with LabelStore.open_or_create(at / "labels.h5", identity) as store:
            codes = space.all_codes()[len(store) : count]
            store.append(LabelBatch(codes, np.full(len(codes), 50.0), np.ones(len(codes)), "supernet", 0))

    return Writer(lambda at: fill(at, 5), lambda at: fill(at, 10), lambda at: len(read_labels(at / "labels.h5")))


def _scores() -> Writer:
    space = the_space()
    codes = np.unique(space.canonical(space.all_codes()), axis=0)
    codes = codes[space.is_connected(codes)]

    def write(at: Path, value: float) -> None:
        values = np.full((len(codes), 1), float(value))
        write_table(at / "scores.safetensors", ClassTable(space, ("a",), codes, values), "x")

    return Writer(
        lambda at: write(at, 1),
        lambda at: write(at, 2),
        lambda at: read_table(at / "scores.safetensors", space).values.sum(),
    )
