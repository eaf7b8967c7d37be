"""Lines of a journal against what Optuna writes for the same trials."""

import json
from pathlib import Path

import optuna
from optuna.samplers import RandomSampler
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.study import StudyDirection

from surrogate_nas.search.candidates import Candidates
from surrogate_nas.search.evaluator import Evaluator
from surrogate_nas.search.journal.quiet_optuna import quiet_optuna
from surrogate_nas.search.journal.trial_records import trial_lines
from surrogate_nas.search.journal.trials import to_trials
from surrogate_nas.space.space import Space

TIMES = ("datetime_start", "datetime_complete", "worker_id")


def written_by_optuna(space: Space, candidates: Candidates, path: Path, extra: dict[str, str | float]) -> list[str]:
    with quiet_optuna():
        study = optuna.create_study(
            storage=JournalStorage(JournalFileBackend(str(path))),
            directions=[StudyDirection.MAXIMIZE] + [StudyDirection.MINIMIZE] * len(candidates.objectives),
            sampler=RandomSampler(),
        )
        study.add_trials(to_trials(space, candidates, extra))
    return [line for line in path.read_text().splitlines() if json.loads(line)["op_code"] == 4]


def test_lines_are_those_of_optuna(evaluator: Evaluator, tmp_path: Path) -> None:
    space = evaluator.space
    candidates = evaluator.evaluate(space.all_codes()[::500])
    extra: dict[str, str | float] = {"source": 'the "predictor"', "round": 2.0}
    theirs = [json.loads(line) for line in written_by_optuna(space, candidates, tmp_path / "journal", extra)]
    ours = [json.loads(line) for line in trial_lines(space, candidates, 0, extra)]
    assert len(ours) == len(theirs) == 32
    for one, other in zip(ours, theirs, strict=True):
        for name in TIMES:
            assert type(one.pop(name)) is type(other.pop(name))
        assert one == other


def test_two_costs_are_two_objectives(evaluator: Evaluator) -> None:
    from dataclasses import replace

    candidates = replace(evaluator.evaluate(evaluator.space.all_codes()[7:8]), second="params")
    [line] = trial_lines(evaluator.space, candidates, 0)
    expected = [candidates.mean[0], candidates.costs["latency_ms"][0], candidates.costs["params"][0]]
    assert json.loads(line)["values"] == expected


def test_light_lines_are_the_same_trials_without_what_follows_from_the_code(evaluator: Evaluator) -> None:
    candidates = evaluator.evaluate(evaluator.space.all_codes()[::900])
    left_out = {"architecture"}
    whole, light = (trial_lines(evaluator.space, candidates, 0, {"a": 1.0}, light=light) for light in (False, True))
    for one, other in zip(map(json.loads, whole), map(json.loads, light), strict=True):
        for name in ("distributions", "params"):
            one.pop(name)
        one["user_attrs"] = {key: value for key, value in one["user_attrs"].items() if key not in left_out}
        for name in ("datetime_start", "datetime_complete"):
            assert type(one.pop(name)) is type(other.pop(name))
        assert one == other
