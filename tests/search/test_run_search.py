"""The whole search: exact answers, one answer per seed, and kill -9 in the middle of a record."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import get_args
from unittest.mock import Mock

import numpy as np
import optuna
import pytest
from numpy.typing import NDArray
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from surrogate_nas.costs.budget import Budget
from surrogate_nas.costs.pareto import pareto_mask
from surrogate_nas.costs.protocol import CostModel
from surrogate_nas.errors import Interrupted
from surrogate_nas.search.protocol import Predictor
from surrogate_nas.search.result import SearchResult
from surrogate_nas.search.run_search import run_search
from surrogate_nas.search.sampler_table import SAMPLERS
from surrogate_nas.search.settings import SamplerName, SearchSettings
from surrogate_nas.space.space import Space
from surrogate_nas.testing.samplers import made_up_evaluator

BUDGETS = [Budget("latency_ms", 4.0), Budget("params", 6e5)]

# Runs a search that dies by kill -9 in the middle of a write, with its locks held and half a record on disk.
KILLED = """
import importlib.util, os, signal, sys
from pathlib import Path

fakes, journal, sampler = sys.argv[1:]
spec = importlib.util.spec_from_file_location("fakes", fakes)
module = importlib.util.module_from_spec(spec)
sys.modules["fakes"] = module
spec.loader.exec_module(module)

from surrogate_nas.costs.budget import Budget
from surrogate_nas.search.run_search import run_search
from surrogate_nas.search.settings import SearchSettings
from surrogate_nas.space.load import load_space

write_through = os.fsync

def fsync(handle):
    write_through(handle)
    path = Path(journal)
    if path.exists() and path.stat().st_size > 35_000 and Path(journal + ".lock").exists():
        os.truncate(path, path.stat().st_size - 100)
        os.kill(os.getpid(), signal.SIGKILL)

os.fsync = fsync
space = load_space("nasbench201")
run_search(
    space, module.FakeScorer(space), module.FakeCosts(space), [Budget("latency_ms", 4.0), Budget("params", 6e5)],
    SearchSettings(sampler=sampler, trials=60, batch=20), seed=3, journal=Path(journal), study="test", inputs="-",
)
"""


def stored_codes(journal: Path) -> list[str]:
    storage = JournalStorage(JournalFileBackend(str(journal)))
    [name] = optuna.get_all_study_names(storage)
    return [trial.user_attrs["code"] for trial in optuna.load_study(study_name=name, storage=storage).trials]


class Search:
    """Searches over the fake predictor, each in a journal of its own unless one is named."""

    def __init__(self, space: Space, predictor: Predictor, costs: CostModel, folder: Path) -> None:
        self.space, self.predictor, self.costs, self.folder = space, predictor, costs, folder

    def __call__(self, *, budgets: list[Budget] = BUDGETS, seed: int = 0, **settings: object) -> SearchResult:
        return run_search(
            self.space,
            self.predictor,
            self.costs,
            budgets,
            SearchSettings.model_validate(settings),
            seed=seed,
            journal=self.folder / "search.journal",
            study="test",
            inputs="-",
            distribution=made_up_evaluator(self.space).distribution,
        )


def has_path(code: NDArray[np.int8]) -> bool:
    """Returns whether a cell of four nodes has a path from input to output, by trying all four paths."""
    to_1, to_2, from_1_to_2, straight, from_1, from_2 = (bool(choice) for choice in code)
    return straight or (to_1 and from_1) or (to_2 and from_2) or (to_1 and from_1_to_2 and from_2)


@pytest.fixture
def search(space: Space, predictor: Predictor, costs: CostModel, tmp_path: Path) -> Search:
    return Search(space, predictor, costs, tmp_path)


def test_scan_is_exact(search: Search) -> None:
    space = search.space
    result = search(budgets=BUDGETS[:1], trials=120)
    codes = space.all_codes()
    mean = search.predictor.predict(codes).mean
    latency = search.costs.evaluate(codes)["latency_ms"]
    connected = np.array([has_path(code) for code in codes])
    feasible = connected & (latency <= 4.0)
    assert result.exact
    assert result.best == 0
    assert result.mean[0] == mean[feasible].max()
    on_front = np.flatnonzero(feasible)[pareto_mask(mean[feasible], latency[feasible][:, None])]
    assert {tuple(code) for code in result.pareto} == {tuple(code) for code in codes[on_front]}
    ranked: list[int] = []
    seen: set[int] = set()
    for row in sorted(np.flatnonzero(feasible), key=lambda row: (-round(float(mean[row]), 9), latency[row])):
        number = int(space.index(space.canonical(codes[row : row + 1]))[0])
        if number not in seen:
            seen.add(number)
            ranked.append(int(row))
    assert result.finalists.tolist() == codes[ranked[:5]].tolist()
    assert result.smallest_costs["latency_ms"] == latency[connected].min() > latency.min()
    assert len(result.nearest) == 0


@pytest.mark.quick_cases(4)
@pytest.mark.parametrize("sampler", get_args(SamplerName))
def test_every_sampler_gives_a_result_and_a_journal_that_agree(search: Search, sampler: SamplerName) -> None:
    result = search(sampler=sampler, trials=50, batch=20)
    assert result.codes.shape == (50, 6)
    assert result.violation.shape == (50, 3)
    assert (result.violation[:, -1] <= 0).tolist() == [has_path(code) for code in result.codes]
    assert all(has_path(code) for found in (result.finalists, result.pareto) for code in found)
    assert result.feasible.tolist() == (result.violation <= 0).all(axis=1).tolist()
    assert result.best is not None
    assert result.mean[result.best] == result.mean[result.feasible].max()
    assert result.finalists[0].tolist() == result.codes[result.best].tolist()
    assert stored_codes(search.folder / "search.journal") == search.space.digits(result.codes)
    keys = search.space.index(search.space.canonical(result.codes))
    assert len(np.unique(keys)) == 50


@pytest.mark.quick_cases(4)
@pytest.mark.parametrize("sampler", get_args(SamplerName))
def test_a_budget_that_nobody_meets_is_an_outcome(search: Search, sampler: SamplerName) -> None:
    result = search(budgets=[Budget("latency_ms", 0.5)], sampler=sampler, trials=30, batch=10)
    assert result.best is None
    assert len(result.finalists) == len(result.pareto) == 0
    assert result.nearest.shape == (5, 6)
    assert all(has_path(code) for code in result.nearest)
    nearest = search.costs.evaluate(result.nearest[:1])["latency_ms"][0]
    assert nearest == result.smallest_costs["latency_ms"] > 0.5


@pytest.mark.quick_cases(4)
@pytest.mark.parametrize("sampler", get_args(SamplerName))
def test_without_budgets_the_front_is_of_connected_architectures(search: Search, sampler: SamplerName) -> None:
    goal = "pareto" if SAMPLERS[sampler].seeks_front else "budget"
    result = search(budgets=[], sampler=sampler, goal=goal, trials=50, batch=20)
    assert result.violation.shape == (50, 1)
    assert result.feasible.tolist() == [has_path(code) for code in result.codes]
    assert len(result.pareto)
    assert all(has_path(code) for code in result.pareto)


def test_a_journal_of_other_budgets_is_replaced(search: Search) -> None:
    search(trials=30, batch=10)
    result = search(budgets=[Budget("latency_ms", 3.0)], trials=20, batch=10)
    assert result.opened == "replaced"
    assert len(stored_codes(search.folder / "search.journal")) == 20


def test_stopping_between_batches_loses_nothing(search: Search) -> None:
    journal = search.folder / "search.journal"
    settings = SearchSettings(trials=60, batch=20)
    done = []

    def stop(trials: int, _: int) -> None:
        done.append(trials)
        if trials == 40:
            raise Interrupted("stopped")

    arguments = (search.space, search.predictor, search.costs, BUDGETS, settings)
    with pytest.raises(Interrupted):
        run_search(*arguments, seed=0, journal=journal, study="test", inputs="-", progress=stop)
    assert done == [20, 40]
    assert len(stored_codes(journal)) == 40
    assert search(trials=60, batch=20).opened == "resumed"
    assert len(stored_codes(journal)) == 60


@pytest.mark.parametrize("sampler", ["random", "nsga2", "tpe"])
def test_a_space_too_large_to_list_is_searched_by_optuna(
    search: Search, calls: list[int], sampler: SamplerName, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(search.space), "listable", False)
    result = search(sampler=sampler, trials=40, batch=20)
    assert not result.exact
    assert max(calls) <= 20
    effective = search.space.effective(result.codes)
    assert len(np.unique(effective, axis=0)) == len(result.codes) == 40


def test_a_used_up_space_is_said(search: Search) -> None:
    result = search(trials=20_000, batch=5_000)
    assert "has nothing new to propose" in result.notes[0]
    assert len(result.codes) < 20_000


@pytest.mark.quick_cases(1)
@pytest.mark.posix
@pytest.mark.parametrize("sampler", ["scan", "nsga2", "reinforce"])
def test_killed_in_the_middle_of_a_record_and_run_again(
    search: Search, sampler: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal, fakes = search.folder / "search.journal", Path(__file__).with_name("conftest.py")
    line = [sys.executable, "-c", KILLED, str(fakes), str(journal), sampler]
    killed = subprocess.run(line, capture_output=True, text=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert Path(f"{journal}.lock").exists()
    assert not journal.read_bytes().endswith(b"\n")
    # Optuna's own lock would be waited for for 30 s.
    monkeypatch.setattr("time.sleep", lambda _: pytest.fail("the lock of the killed search is not waited for"))
    again = search(seed=3, sampler=sampler, trials=60, batch=20)
    assert again.opened == "resumed"
    assert "half-written" in caplog.text
    assert "half-written" in again.notes[0]
    codes = stored_codes(journal)
    journal.unlink()
    whole = search(seed=3, sampler=sampler, trials=60, batch=20)
    for name in ("codes", "mean", "finalists"):
        assert np.array_equal(getattr(again, name), getattr(whole, name))
    assert again.best == whole.best
    assert codes == stored_codes(journal)
    assert len(set(codes)) == len(codes) == 60


def test_a_batch_of_trials_is_written_at_once(search: Search, monkeypatch: pytest.MonkeyPatch) -> None:
    # benchmarks.search_overhead measures the milliseconds of a trial.
    writes = Mock(wraps=os.fsync)
    monkeypatch.setattr(os, "fsync", writes)
    search(trials=50, batch=50)
    one_batch = writes.call_count
    search(trials=400, batch=50, finalists=4)
    assert writes.call_count - one_batch == one_batch + 400 // 50 - 1
