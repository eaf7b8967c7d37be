"""Finalists are exported as they are deployed, and compared with what was measured."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from surrogate_nas._support.files import write_json
from surrogate_nas.costs.cost import cost_on
from surrogate_nas.deploy import winners
from surrogate_nas.deploy.winners import (
    ComparedLatency,
    Winners,
    compared,
    first_within,
    is_run,
    more_threads_note,
    read_winners,
    smaller_budget,
)
from surrogate_nas.errors import CostTableError, SettingsError, StoreError
from surrogate_nas.hardware.transfer.device_results import RemoteResults
from tests.fixtures.finished_run import CODES, SPEC


def finalist(digits: str, predicted: float) -> SimpleNamespace:
    costs = (
        SimpleNamespace(cost="flops", predicted=1, budget=None),
        SimpleNamespace(cost="latency_ms", predicted=predicted, budget=5.0),
    )
    return SimpleNamespace(digits=digits, costs=costs)


@pytest.fixture
def found(finished_run: Path, monkeypatch: pytest.MonkeyPatch) -> Winners:
    finalists = (finalist("333123", 3), finalist("311141", 2), finalist("333123", 3))
    facts = SimpleNamespace(answer=SimpleNamespace(finalists=finalists))
    monkeypatch.setattr(winners, "read_facts", lambda _path: facts)
    return read_winners(finished_run)


def results(found: Winners, ms: dict[str, float], **sizes: int) -> RemoteResults:
    codes = np.array([found.space.parse(code) for code in ms])
    facts = {"network": SPEC.described() | sizes, "dtype": "float32", "batch": "1"}
    return RemoteResults("phone", found.space.effective(codes), np.array(list(ms.values())), 0, 0.0, facts)


def test_finalists_are_read_once_each_with_the_sizes_of_the_study(finished_run: Path, found: Winners) -> None:
    assert is_run(finished_run)
    assert not is_run(finished_run / "best")
    assert [one.digits for one in found.finalists] == ["333123", "311141"]
    assert found.space.digits(found.codes) == found.space.digits(
        found.space.effective([found.space.parse(code) for code in ("333123", "311141")])
    )
    assert (found.network, found.batch) == (SPEC, 1)


def test_a_damaged_network_of_the_table_is_named(
    finished_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"
    shutil.copytree(finished_run, run)
    facts = SimpleNamespace(answer=SimpleNamespace(finalists=(finalist("333123", 3),)))
    monkeypatch.setattr(winners, "read_facts", lambda _path: facts)
    content = json.loads((run / "lookup.json").read_text())
    for sizes in ({"sides": 3}, {**content["network"], "channels": "x"}, {**content["network"], "classes": 10**10}):
        write_json(run / "lookup.json", {**content, "network": sizes})
        with pytest.raises(StoreError, match="the lookup table metadata has a wrong 'network'"):
            read_winners(run)


def test_measurements_stand_beside_predictions(found: Winners) -> None:
    slow_first = compared(found, results(found, {"311141": 4.0, "333123": 6.0}))
    assert slow_first == [ComparedLatency("333123", 3, 5.0, 6.0), ComparedLatency("311141", 2, 5.0, 4.0)]
    best = first_within(slow_first)
    assert best is not None
    assert best.code == "311141"
    unsettled = compared(found, results(found, {"311141": 6.0}))
    assert unsettled[0].measured is None
    assert first_within(unsettled) is None


def test_a_device_that_the_study_names_has_its_own_budget(found: Winners) -> None:
    extra = SimpleNamespace(cost="latency_ms[phone]", predicted=20.0, budget=30.0)
    on_both: Any = tuple(SimpleNamespace(digits=one.digits, costs=(*one.costs, extra)) for one in found.finalists)
    of_phone = compared(replace(found, finalists=on_both), results(found, {"311141": 40.0, "333123": 25.0}))
    assert of_phone == [ComparedLatency("333123", 20.0, 30.0, 25.0), ComparedLatency("311141", 20.0, 30.0, 40.0)]
    assert [one.within for one in of_phone] == [True, False]


def test_results_of_other_networks_are_refused(found: Winners) -> None:
    with pytest.raises(CostTableError, match="of networks of other sizes than the study's"):
        compared(found, results(found, {"311141": 4.0}, cells=9))
    with pytest.raises(CostTableError, match="hold none of the study's finalists"):
        compared(found, results(found, {CODES[1]: 4.0}))


def test_results_of_another_batch_are_refused(found: Winners) -> None:
    measured = results(found, {"311141": 4.0})
    measured.facts["batch"] = "8"
    with pytest.raises(CostTableError, match="of batches of 8, but the study's budget is of batches of 1; export"):
        compared(found, measured)


def test_a_study_without_an_answer_has_nothing_to_measure(finished_run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = SimpleNamespace(answer=SimpleNamespace(finalists=()))
    monkeypatch.setattr(winners, "read_facts", lambda _path: facts)
    with pytest.raises(SettingsError, match="has no finalists to measure"):
        read_winners(finished_run)


def test_results_in_another_precision_are_refused_with_both(found: Winners) -> None:
    of_int8 = replace(found, numbers="int8")
    with pytest.raises(CostTableError, match="networks in float32, but the study deploys int8; export its finalists"):
        compared(of_int8, results(found, {"311141": 4.0}))


def test_results_of_a_device_without_a_budget_are_not_held_against_another_ones(found: Winners) -> None:
    named = SimpleNamespace(cost=cost_on("latency_ms", "pi"), predicted=1.0, budget=5.0)
    here = tuple(SimpleNamespace(digits=one.digits, costs=(*one.costs, named)) for one in found.finalists)
    of_pi = replace(found, finalists=here)  # type: ignore[arg-type]
    with pytest.raises(CostTableError, match="are of 'phone', and the study's latencies of pi: give the device"):
        compared(of_pi, results(found, {"311141": 4.0}))


def test_a_study_by_a_table_is_checked_on_its_own_device_alone(found: Winners) -> None:
    named = SimpleNamespace(cost=cost_on("latency_ms", "pi"), predicted=1.0, budget=5.0)
    here: Any = tuple(SimpleNamespace(digits=one.digits, costs=(*one.costs, named)) for one in found.finalists)
    by_table = replace(found, finalists=here, device="The phone", of_table=True)
    measured = results(found, {"311141": 4.0, "333123": 6.0})
    with pytest.raises(CostTableError, match="are of 'phone', and the study's latencies of The phone, pi: give"):
        compared(by_table, measured)
    # A column has a space, which no name of a device has.
    own = compared(by_table, replace(measured, device="the_phone"))
    assert [(one.predicted, one.budget) for one in own] == [(3, 5.0), (2, 5.0)]
    assert [one.predicted for one in compared(by_table, replace(measured, device="pi"))] == [1.0, 1.0]


def test_what_is_missing_is_not_what_never_settled(found: Winners) -> None:
    noisy = replace(results(found, {"311141": 4.0}), unsettled=found.codes[:1])
    assert [(one.measured, one.noisy) for one in compared(found, noisy)] == [(None, True), (4.0, False)]
    assert [one.noisy for one in compared(found, results(found, {"311141": 4.0}))] == [False, False]


def test_a_smaller_budget_follows_from_what_was_measured() -> None:
    over = [ComparedLatency("1", 4.0, 5.0, 8.0), ComparedLatency("2", 4.0, 5.0, 6.0), ComparedLatency("3", 1, 5, None)]
    assert smaller_budget(over) == pytest.approx(5 * 4 / 6)
    assert smaller_budget([ComparedLatency("3", 1, 5, None)]) is None


def test_other_threads_than_the_study_s_are_said(found: Winners) -> None:
    measured = results(found, {"311141": 4.0})
    for threads, said in (("1", False), ("4", True)):
        measured.facts["threads"] = threads
        assert bool(more_threads_note(replace(found, threads=1), measured)) == said
    assert more_threads_note(replace(found, threads=None), measured) == ""
