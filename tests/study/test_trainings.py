"""A study that trains finalists: the same answer with any number of processes, interrupted or not."""

import json
from collections.abc import Callable
from pathlib import Path

from surrogate_nas.labels.store import read_labels

RunHere = Callable[..., tuple[int, str, str]]
TRAININGS = ("--trainings", "4", "--set", "training.epochs=1", "--set", "training.batch_size=32")


def test_trainings_are_labels_of_their_own_and_decide(
    tiny: Path, budgets: tuple[str, ...], here: RunHere, tmp_path: Path
) -> None:
    answers = []
    for processes in (1, 2):
        folder = tmp_path / str(processes)
        also = ("--also-budget", "flops=20%", "--also-budget", "params=1K", "--set", f"compute.processes={processes}")
        code, _, errors = here(tiny, "--output-dir", folder, *budgets, *TRAININGS, *also)
        assert code == 0, errors
        assert "trainings: " in errors
        labels = read_labels(folder / "trainings.h5")
        assert set(labels.source.tolist()) == {"training"}
        assert 1 <= len(labels) <= 4
        answers.append((folder / "lookup.csv").read_bytes())
        made = json.loads((folder / "answers.json").read_text())
        assert [one["code"] is None for one in made["answers"]] == [False, False, True]
        assert made["answers"][2]["nearest"]
        assert all(front["hypervolume"] > 0 for front in made["fronts"])
        assert (folder / "plots" / "trials.html").exists()
    assert answers[0] == answers[1]
    before = (tmp_path / "1" / "trainings.h5").stat().st_mtime_ns
    code, _, errors = here("--resume", "--output-dir", tmp_path / "1")
    assert code == 0, errors
    assert (tmp_path / "1" / "lookup.csv").read_bytes() == answers[0]
    assert len(read_labels(tmp_path / "1" / "trainings.h5")) == len(labels)
    assert before > 0
