"""Facts of how a study was made."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from surrogate_nas.runs.state import RunState
from surrogate_nas.study.problem.problem import Problem
from surrogate_nas.study.report.provenance import provenance_facts


@dataclass
class Spent:
    seconds: float
    joules: float | None


def test_both_networks_and_the_ranges_of_costs_are_told(problem: Problem, tmp_path: Path) -> None:
    state = RunState(tmp_path / "state.json")
    state.mark_done("supernets", Spent(3.5, 80.0))
    settings = problem.settings
    wider = replace(problem, deployed=replace(problem.deployed, channels=32, cells=5))
    facts = provenance_facts(wider, ["the first", "the command"], state, None, ["a note"])
    assert (facts.deployed.channels, facts.deployed.cells) == (32, 5)
    assert (facts.supernet_network.channels, facts.supernet_network.cells) == (4, 1)
    assert facts.supernet.groups == 2
    assert facts.supernet.steps == settings.supernet.steps
    assert facts.data.fingerprint == problem.splits.fingerprint
    assert facts.data.classes == problem.splits.class_names
    assert (facts.search, facts.command, facts.notes) == (None, "the command", ("a note",))
    assert facts.earlier == ("the first",)
    assert [(stage.name, stage.seconds, stage.joules) for stage in facts.stages] == [("supernets", 3.5, 80.0)]
    assert dict(facts.predictor)["ensemble"] == "2"
    by_cost = {item.cost: item for item in facts.cost_ranges}
    flops = problem.costs["flops"][problem.connected]
    assert (by_cost["flops"].smallest, by_cost["flops"].largest) == (flops.min(), flops.max())
    assert by_cost["flops"].feasible == np.sum(flops <= problem.budgets[1].limit)
    assert (by_cost["params"].budget, by_cost["params"].feasible) == (None, None)
    assert facts.space.size == 15_625


def test_processes_that_share_a_supernet_are_counted(problem: Problem, tmp_path: Path) -> None:
    def training(**compute: object) -> str:
        settings = problem.settings
        settings = settings.model_copy(update={"compute": settings.compute.model_copy(update=compute)})
        state = RunState(tmp_path / "state.json")
        changed = replace(problem, settings=settings)
        return dict(provenance_facts(changed, ["the first", "the command"], state, None, []).hardware)["training"]

    assert training(processes=4) == "cpu, 4 processes"
    assert training(processes=4, processes_per_supernet=2) == "cpu, 4 processes, 2 for each supernet"
    shared = training(cluster="auto", processes_per_supernet=2)
    assert shared == "cpu, processes of a Ray cluster (auto), 2 for each supernet"
