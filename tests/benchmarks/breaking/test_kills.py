"""A cycle of kills is recorded, and compared with the undisturbed run in all that counts."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from benchmarks.breaking.kills import KILL, Campaign, Cycle, Interruption, different_model, different_study
from surrogate_nas.labels.records import LabelBatch, LabelIdentity
from surrogate_nas.labels.store import LabelStore
from surrogate_nas.space.load import load_space

pytestmark = pytest.mark.posix


def test_a_result_comes_back_from_its_file(tmp_path: Path) -> None:
    campaign = Campaign(tmp_path, 0)
    assert campaign.cycles() == []
    cycle = Cycle(3, 0, "study", [Interruption(KILL, "worker", 3.5, "labels", 1, 0.25)], ["another lookup.csv"])
    campaign.results.write_text(json.dumps(cycle.as_json()) + "\n", encoding="utf-8")
    assert campaign.cycles() == [cycle]


def write_label(run: Path) -> None:
    space = load_space("quick")
    identity = LabelIdentity.of_space(space, data_fingerprint="x", code_version="y")
    with LabelStore.create(run / "labels.h5", identity) as store:
        store.append(LabelBatch(space.all_codes()[:1], np.full(1, 50.0), np.ones(1), "supernet", 0))


def test_what_differs_from_the_undisturbed_study_is_found(finished_run: Path, digits_copy: Path) -> None:
    assert different_study(finished_run, digits_copy) == []
    write_label(digits_copy)
    with (digits_copy / "lookup.csv").open("a", encoding="utf-8") as file:
        file.write("x\n")
    (digits_copy / "best" / "architecture.json").write_text('{"code": "x"}', encoding="utf-8")
    (digits_copy / "images" / ".splits.json.0123abcd.json").touch()
    assert different_study(finished_run, digits_copy) == [
        "other labels",
        "another lookup.csv",
        "the winner x instead of 333123",
        "left behind: .splits.json.0123abcd.json",
    ]


@pytest.mark.slow
def test_what_differs_from_the_undisturbed_training_is_found(trained_run: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(trained_run, tmp_path / "run"))
    assert different_model(trained_run, other) == []
    (other / "best" / "model.json").unlink()
    (other / "best" / "model.onnx").write_bytes(b"x")
    assert different_model(trained_run, other) == ["another model.onnx", "no model.json in best/"]


@pytest.mark.slow
def test_a_killed_study_and_training_end_as_undisturbed_ones(broken_campaign: Campaign) -> None:
    cycles = [broken_campaign.run(0)]
    assert [cycle.faults for cycle in cycles] == [[]]
    assert sum(len(cycle.interruptions) for cycle in cycles) > 0
    assert broken_campaign.cycles() == cycles
