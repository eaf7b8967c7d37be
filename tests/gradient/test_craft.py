"""A search on a split: parents train weights alone, members go on from them, and a stop anywhere changes nothing."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from surrogate_nas.errors import Interrupted
from surrogate_nas.gradient.craft import Cutting, craft
from surrogate_nas.gradient.job import LearningJob
from surrogate_nas.gradient.learning import Learner, run_learning
from surrogate_nas.supernet.plan import SupernetPlan
from surrogate_nas.supernet.stage import Workplace, train_stage
from tests.fixtures.one_process import OneProcess
from tests.gradient.conftest import MakeJob

EDGE = {"split": "edge", "parent_share": 0.5, "steps": 8}
GRADIENT = {"split": "gradient", "split_rounds": 1, "split_batches": 2, "parent_share": 0.5, "steps": 8}
COUNT = {"split": "nonlinear", "parent_share": 0.5, "steps": 8}


def run(job: LearningJob, stop_after: int | None = None) -> SupernetPlan:
    """Runs all trainings of the search; each process is stopped after so many questions, and another one goes on."""
    work = job.work
    place = Workplace(work.folder, work.images, work.data, work.identity, craft=craft(job.settings, job.costs))
    while True:
        try:
            return train_stage(work.plan, place, OneProcess(1), silent, after(stop_after))
        except Interrupted:
            continue


def after(questions: int | None) -> Callable[[], bool]:
    """Returns a wish to stop that comes after so many questions; never if there is none."""
    asked = iter(range(questions or 0))
    return lambda: questions is not None and next(asked, None) is None


def silent(_title: str) -> AbstractContextManager[Callable[[int, int], None]]:
    return nullcontext(lambda _done, _total: None)


def files(folder: Path) -> dict[str, bytes]:
    """Returns tensors and cuts of all trainings; texts of a file may be in any order."""
    found = {path.name: path.read_bytes() for path in folder.glob("*.json")}
    for path in folder.glob("*.safetensors"):
        for name, tensor in load_file(path).items():
            found[f"{path.name}/{name}"] = tensor.numpy().tobytes()
    return found


@pytest.mark.quick_cases(1)
@pytest.mark.parametrize(
    ("method", "split"),
    [
        ("darts", GRADIENT),
        ("gdas", COUNT),
        pytest.param("snas", EDGE, marks=pytest.mark.slow),
        pytest.param("enas", EDGE | {"every": 2}, marks=pytest.mark.slow),
    ],
)
def test_stops_anywhere_change_nothing(job_of: MakeJob, method: str, split: dict[str, object]) -> None:
    whole, stopped = job_of(method, "whole", **split), job_of(method, "stopped", **split)
    run(whole)
    run(stopped, 5)  # in the middle of parents and of members, between two steps of a distribution
    before, after = files(whole.work.folder), files(stopped.work.folder)
    assert before.keys() == after.keys()
    assert {name for name, content in before.items() if content != after[name]} == set()
    moves = load_file(stopped.work.folder / "member-0.safetensors")["learnt.moves"]
    assert int(moves) == (2 if method == "enas" else 4)


def test_a_parent_trains_weights_and_its_distribution_rests(job_of: MakeJob) -> None:
    job = job_of("darts", **EDGE)
    plan = run(job)
    parent = replace(job, work=replace(job.work, plan=plan, training=plan.phases[0][0]))
    state = load_file(parent.file)
    assert torch.equal(state["learnt.distribution.logits"], parent.distribution().state_dict()["logits"])
    assert int(state["learnt.moves"]) == 0
    first = dict(parent.plan.build(parent.training.stream).named_parameters())
    assert any(not torch.equal(weight, state[f"weight.{name}"]) for name, weight in first.items())
    for number, member in enumerate(plan.phases[1]):
        begun = Learner(replace(job, work=replace(job.work, training=member, folder=copy_of_parent(job, number))))
        assert begun.step == 4
        for name, weight in begun.network.named_parameters():
            assert torch.equal(weight, state[f"weight.{name}"]), name
        allowed = begun.distribution.allowed[0].tolist()
        assert allowed == [choice == number for choice in range(4)]


def copy_of_parent(job: LearningJob, number: int) -> Path:
    """Returns a folder in which no member has begun."""
    folder = job.work.folder.with_name(f"begun-{number}")
    folder.mkdir()
    (folder / "parent.safetensors").write_bytes((job.work.folder / "parent.safetensors").read_bytes())
    return folder


def test_without_a_parent_every_subspace_begins_by_itself(job_of: MakeJob) -> None:
    job = job_of("darts", **(EDGE | {"parent_share": 0.0}))
    plan = run(job)
    assert [len(phase) for phase in plan.phases] == [4]
    weights = [load_file(job.work.folder / each.file)["weight.layers.0.0.weight"] for each in plan.phases[0]]
    assert not torch.equal(weights[0], weights[1])


@pytest.mark.parametrize(
    "method", ["snas", "rsps", *(pytest.param(name, marks=pytest.mark.slow) for name in ("darts", "proxyless"))]
)
def test_every_way_of_training_finds_cuts(job_of: MakeJob, method: str) -> None:
    job = job_of(method, **(GRADIENT | {"steps": 4}))
    plan = run(job)
    assert len(plan.cuts) == 1
    assert len(plan.names) == 2
    cut = plan.cuts[0]
    for part, member in zip(cut.parts, plan.phases[-1], strict=True):
        learner = Learner(replace(job, work=replace(job.work, plan=plan, training=member)))
        assert torch.nonzero(learner.distribution.allowed[cut.decision]).flatten().tolist() == list(part)


def test_a_stopped_search_for_a_cut_leaves_nothing(job_of: MakeJob) -> None:
    job = job_of("darts", **GRADIENT)
    work = replace(job.work, training=job.plan.phases[0][0])
    assert run_learning(replace(job, work=work), lambda _: None, lambda: False)
    assert Cutting(job.settings)(work, lambda _: None, lambda: True) is None
    assert not work.cut.exists()
