"""Networks are planned once, in other processes where there are some, and a stop keeps what is done."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from surrogate_nas.errors import Interrupted, MeasurementError
from surrogate_nas.hardware.planned import plan_bench, planners
from surrogate_nas.hardware.planned.plan_bench import PlanBench, PlanJob, plan_network
from surrogate_nas.hardware.planned.planners import Plan
from surrogate_nas.space.load import load_space
from tests.hardware.planned.known_planner import SETTINGS, use_known_planner

SPACE = load_space("quick")
CODES = SPACE.all_codes()[[50, 20, 50, 51]]


@pytest.fixture(autouse=True)
def _known(monkeypatch: pytest.MonkeyPatch) -> None:
    use_known_planner(monkeypatch)


class InTurn:
    """Workers that run jobs here."""

    processes = 1

    def __init__(self) -> None:
        self.jobs: list[Any] = []
        self.closed = 0

    def run(
        self,
        task: Any,  # noqa: ANN401
        jobs: Sequence[Any],
        *,
        on_result: Callable[[int, Any], None],
        on_progress: Callable[[int], None],
        **_: object,
    ) -> None:
        for position, job in enumerate(jobs):
            self.jobs.append(job)
            on_progress(0)
            on_result(position, task(job, lambda _: None, lambda: False))

    def close(self) -> None:
        self.closed += 1


def test_each_network_is_planned_once_and_kept() -> None:
    workers = InTurn()
    shown: list[tuple[str, int, int]] = []
    bench = PlanBench(SPACE, SPACE.network, SETTINGS, workers=workers)
    plans = bench.plan(CODES, lambda *step: shown.append(step))
    assert len(plans) == 4
    assert plans[0] == plans[2] != plans[1]
    assert len(workers.jobs) == len({one.code for one in workers.jobs}) <= 3
    assert shown[0] == ("networks planned", 0, len(workers.jobs))
    assert shown[-1][1] == shown[-1][2] == len(workers.jobs)
    assert workers.closed == 1
    assert PlanBench(SPACE, SPACE.network, SETTINGS).plan(CODES) == plans
    assert PlanBench(SPACE, SPACE.network, SETTINGS, workers=workers).plan(CODES) == plans
    assert workers.closed == 1
    assert bench.describe()["planner"] == "Known"


def test_a_stop_keeps_the_plans_that_were_made() -> None:
    def stop(_what: str, done: int, _total: int) -> None:
        if done == 1:
            raise Interrupted("stopped")

    bench = PlanBench(SPACE, SPACE.network, SETTINGS)
    with pytest.raises(Interrupted):
        bench.plan(CODES, stop)
    assert len(bench.cache.read()) == 1


def test_a_network_that_cannot_be_planned_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_job: PlanJob, *_: object) -> Plan | str:
        return "no kernel"

    monkeypatch.setattr(plan_bench, "plan_network", refuse)
    with pytest.raises(MeasurementError, match=r"Known cannot plan .*: no kernel; choose another hardware\.planner"):
        PlanBench(SPACE, SPACE.network, SETTINGS).plan(CODES)


def test_errors_of_any_class_come_back_as_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> bytes:
        raise KeyError("two\nlines")

    table = {"vela": planners.PLANNERS["vela"].__class__("Known", {}, "vela", "tflite", broken, lambda *_: Plan(1, 1))}
    monkeypatch.setattr(plan_bench, "PLANNERS", table)
    job = PlanJob("vela", "", SPACE, SPACE.network, tuple(SPACE.all_codes()[7].tolist()))
    found = plan_network(job, lambda _: None, lambda: False)
    assert isinstance(found, str)
    assert "\n" not in found
