"""Files that version 0.1.0 wrote are read, and mean what they meant: one run folder with a file of every format."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from surrogate_nas._support.tensor_files import read_tensors, write_tensors
from surrogate_nas.data.cache import load_splits
from surrogate_nas.errors import StoreError
from surrogate_nas.export.model_folder import load_model
from surrogate_nas.hardware.tables.stored import read_costs
from surrogate_nas.labels.store import read_labels
from surrogate_nas.lookup.table import LookupTable
from surrogate_nas.predictor.predictor import load_predictor
from surrogate_nas.report.json_file import read_facts
from surrogate_nas.runs.state import RunState
from surrogate_nas.space.load import load_space
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.space import Space
from surrogate_nas.supernet.checkpoint import load_checkpoint
from tests.conftest import REPOSITORY
from tests.fixtures.tiny_study import RunHere

RUN = REPOSITORY / "tests" / "assets" / "run_0_1_0"
EXPECTED: dict[str, Any] = json.loads((RUN / "expected.json").read_text())


@pytest.fixture(scope="module")
def space() -> Space:
    return load_space("quick")


def test_labels(space: Space) -> None:
    labels = read_labels(RUN / "labels.h5")
    assert space.digits(labels.codes) == EXPECTED["labels"]["codes"]
    assert labels.accuracy_percent.tolist() == EXPECTED["labels"]["accuracy"]
    assert len(read_labels(RUN / "trainings.h5").codes) > 0


def test_a_predictor(space: Space) -> None:
    predicted = load_predictor(RUN / "predictor", space).predict(space.all_codes()).mean
    np.testing.assert_allclose(predicted, EXPECTED["predicted"], rtol=1e-5)


def test_costs(space: Space) -> None:
    network = NetworkSpec(4, 1, 8, 1, 10, 2)
    costs = read_costs(RUN / "costs.parquet", space, network)
    codes = costs.pool.codes
    assert np.array_equal(costs.evaluate(codes)["params"], space.parameters(space.effective(codes), network))


def test_a_trained_model() -> None:
    with torch.no_grad():
        scores = load_model(RUN / "best").eval()(torch.linspace(-1, 1, 64).reshape(1, 1, 8, 8))
    np.testing.assert_allclose(scores[0].numpy(), EXPECTED["scores"], rtol=1e-4, atol=1e-6)


def test_a_lookup_table_and_a_report() -> None:
    table = LookupTable.load(RUN)
    assert table.metadata.answer == json.loads((RUN / "best" / "architecture.json").read_text())["code"]
    assert read_facts(RUN / "report.json").answer.outcome == "met"


def test_images_and_checkpoints() -> None:
    assert len(load_splits(RUN / "images").train) > 0
    tensors, facts = read_tensors(RUN / "supernets" / "member-0.safetensors")
    assert tensors
    assert json.loads(facts["identity"])


@pytest.mark.slow
def test_a_run_goes_on_where_it_was(tmp_path: Path, here: RunHere, monkeypatch: pytest.MonkeyPatch) -> None:
    # Latencies of another processor are refused.
    monkeypatch.setattr("surrogate_nas.hardware.measure.bench.machine_name", lambda _device: "AMD EPYC")
    folder = Path(shutil.copytree(RUN, tmp_path / "run"))
    before = (folder / "lookup.csv").read_text().splitlines()
    code, out, err = here("--output-dir", folder, "--resume", "--quiet")
    assert code == 0, err
    assert [line.split(",")[0] for line in (folder / "lookup.csv").read_text().splitlines()] == [
        line.split(",")[0] for line in before
    ]
    assert (folder / "labels.h5").read_bytes() == (RUN / "labels.h5").read_bytes()
    assert "1102" in out


def newer_json(path: Path) -> None:
    content = json.loads(path.read_text(encoding="utf-8"))
    key = "schema" if "schema" in content else "schema_version"
    path.write_text(json.dumps({**content, key: content[key] + 1}), encoding="utf-8")


def newer_labels(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        file.attrs["schema_version"] = 3


def newer_costs(path: Path) -> None:
    table = pq.read_table(path)
    metadata = {key: value.replace(b'"schema": 1', b'"schema": 2') for key, value in table.schema.metadata.items()}
    pq.write_table(table.replace_schema_metadata(metadata), path)


def newer_checkpoint(path: Path) -> None:
    tensors, texts = read_tensors(path)
    write_tensors(path, tensors, {**texts, "schema": str(int(texts["schema"]) + 1)})


Change = Callable[[Path], None]
Read = Callable[[Path], object]
FORMATS: dict[str, tuple[Change, Read]] = {
    "labels.h5": (newer_labels, lambda path: read_labels(path)),
    "costs.parquet": (newer_costs, lambda path: read_costs(path, load_space("quick"), NetworkSpec(4, 1, 8, 1, 10, 2))),
    "supernets/member-0.safetensors": (newer_checkpoint, lambda path: load_checkpoint(path, {})),
    "images/splits.json": (newer_json, lambda path: load_splits(path.parent)),
    "predictor/predictor.json": (newer_json, lambda path: load_predictor(path.parent, load_space("quick"))),
    "lookup.json": (newer_json, lambda path: LookupTable.load(path.parent)),
    "report.json": (newer_json, lambda path: read_facts(path)),
    "state.json": (newer_json, lambda path: RunState(path).check()),
    "best/model.json": (newer_json, lambda path: load_model(path.parent)),
}


@pytest.mark.parametrize("name", FORMATS)
def test_a_newer_file_says_that_the_program_is_older(name: str, tmp_path: Path) -> None:
    path = Path(shutil.copytree(RUN, tmp_path / "run")) / name
    make_newer, read = FORMATS[name]
    read(path)
    make_newer(path)
    with pytest.raises(StoreError, match="the program is older than the file; install the version") as caught:
        read(path)
    assert str(path) in str(caught.value)
