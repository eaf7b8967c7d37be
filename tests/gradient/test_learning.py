"""Every search goes on after a stop exactly as if there had been none; weights and distribution move in their turns."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from surrogate_nas._support.tensor_files import read_tensors, write_tensors
from surrogate_nas.errors import StoreError, TrainingError
from surrogate_nas.gradient.alpha_steps import row_costs
from surrogate_nas.gradient.distributions.distribution import Independent
from surrogate_nas.gradient.job import LearningJob
from surrogate_nas.gradient.learning import Learner, run_learning
from surrogate_nas.gradient.methods import METHODS
from surrogate_nas.space.load import load_space
from surrogate_nas.space.network import NetworkSpec
from tests.gradient.conftest import MakeJob


def after(steps: int) -> Callable[[], bool]:
    asked = iter(range(steps))
    return lambda: next(asked, None) is None


def run(job: LearningJob, *stops: int) -> dict[str, torch.Tensor]:
    """Returns the state after all steps, stopped after some of them on the way."""
    for stop in stops:
        assert not run_learning(job, lambda _: None, after(stop))
    assert run_learning(job, lambda _: None, lambda: False)
    return load_file(job.file)


@pytest.mark.quick_cases(3)
@pytest.mark.parametrize("method", METHODS)
def test_a_stopped_search_goes_on_as_if_it_had_not_stopped(job_of: MakeJob, method: str) -> None:
    given = {"every": 3} if METHODS[method].every > 1 else {}
    whole, stopped = run(job_of(method, "whole", **given)), run(job_of(method, "stopped", **given), 4, 3)
    assert whole.keys() == stopped.keys()
    for name, tensor in whole.items():
        assert tensor.numpy().tobytes() == stopped[name].numpy().tobytes(), name


@pytest.mark.parametrize("method", ["darts", "gdas"])
def test_a_stopped_search_in_cells_of_nodes_goes_on(job_of: MakeJob, method: str) -> None:
    space = load_space("nasbench1shot1_1")
    within = space, NetworkSpec(4, 1, 8, input_channels=1, classes=4, stages=1)
    whole = run(job_of(method, "whole", within=within, steps=5))
    stopped = run(job_of(method, "stopped", within=within, steps=5), 2, 1)
    assert {name for name, tensor in whole.items() if not torch.equal(tensor, stopped[name])} == set()
    assert whole["learnt.distribution.logits"].shape == (7, 10)


def test_another_seed_is_another_search(job_of: MakeJob) -> None:
    first, second = (run(job_of("darts", f"seed{seed}", seed=seed)) for seed in (1, 2))
    assert not torch.equal(first["learnt.distribution.logits"], second["learnt.distribution.logits"])


def test_the_distribution_begins_late_and_moves_every_few_steps(job_of: MakeJob) -> None:
    learner = Learner(job_of("darts", begins=0.5, every=2))
    logits, moved = learner.distribution.state_dict()["logits"].clone(), []
    for _ in range(12):
        learner.advance()
        now = learner.distribution.state_dict()["logits"].clone()
        moved.append(not torch.equal(now, logits))
        logits = now
    assert [step for step, has in enumerate(moved) if has] == [7, 9, 11]
    assert learner.moves == 3


def test_without_a_gradient_the_distribution_stays_as_it_began(job_of: MakeJob) -> None:
    job = job_of("rsps")
    before = job.distribution().state_dict()["logits"]
    assert torch.equal(run(job)["learnt.distribution.logits"], before)


def test_the_rate_lets_logits_reach_certainty(job_of: MakeJob) -> None:
    # 5 over 2,000 steps; few steps have the largest rate.
    assert Learner(job_of("darts", steps=2000)).rate == pytest.approx(5 / 2000)
    assert Learner(job_of("darts", steps=20)).rate == pytest.approx(0.01)
    assert Learner(job_of("darts", steps=20, rate=0.3)).rate == pytest.approx(0.3)


def test_the_temperature_ends_where_it_is_to_end(job_of: MakeJob) -> None:
    learner = Learner(job_of("snas"))
    seen = [learner._temperature]
    for _ in range(12):
        learner.advance()
        seen.append(learner._temperature)
    assert seen[0] == 1.0
    assert (np.diff(seen[:12]) < 0).all()
    assert seen[11:] == [pytest.approx(0.1)] * 2


def test_the_second_order_is_another_gradient(job_of: MakeJob) -> None:
    first, second = (run(job_of(name, name, steps=3))["learnt.mean.logits"] for name in ("darts", "darts2"))
    assert not torch.allclose(first, second)


def test_exploded_weights_end_it_and_name_the_settings(job_of: MakeJob) -> None:
    job = job_of("darts")
    learner = Learner(job)
    with torch.no_grad():
        next(learner.network.parameters()).fill_(torch.nan)
    with pytest.raises(TrainingError, match=r"gradient\.method = 'darts': lower supernet\.learning_rate"):
        learner.advance()
    with pytest.raises(TrainingError, match="infinite or NaN"):
        learner.save()
    assert not job.file.exists()


def test_a_state_of_another_network_is_refused(job_of: MakeJob) -> None:
    run(job_of("darts", steps=1))
    with pytest.raises(StoreError, match="is not the one of this search"):
        Learner(job_of("enas", steps=1))


def test_a_heavy_cost_makes_cheap_choices_likely(job_of: MakeJob) -> None:
    space = load_space("quick")
    codes = space.all_codes()[space.is_connected(space.all_codes())]
    costs = row_costs(space, space.flops(codes, space.network).astype(np.float64), codes, reference=1e5)
    sizes = replace(space.network, channels=4, image_size=8, input_channels=1, classes=4)

    def expected(method: str, weight: float) -> float:
        given = {"rate": 0.2, "begins": 0.0, "cost_weight": weight}
        job = job_of(method, f"{method}{weight}", within=(space, sizes), **given)
        learner = Learner(replace(job, costs=costs))
        for _ in range(12):
            learner.advance()
        assert isinstance(learner.distribution, Independent)
        return costs.expected(learner.distribution).item()

    for method in ("darts", "proxyless"):
        assert expected(method, 100.0) < 0.9 * expected(method, 0.0)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("learnt.moves", torch.tensor(13), "is damaged; remove it"),
        ("learnt.moves", torch.tensor([1, 2]), "is not the one of this search"),
        ("learnt.moves", torch.tensor(-1), "is not the one of this search"),
        ("learnt.mean.logits", torch.zeros(2), "is not the one of this search"),
        ("learnt.distribution.logits", torch.full((3, 4), torch.nan), "is damaged; remove it"),
        ("loss_sum", torch.zeros(3), "is damaged; remove it"),
    ],
)
def test_a_state_that_cannot_be_is_refused(job_of: MakeJob, name: str, value: torch.Tensor, message: str) -> None:
    job = job_of("darts", steps=2)
    run(job)
    tensors, texts = read_tensors(job.file)
    assert name in tensors
    write_tensors(job.file, {**tensors, name: value}, texts)
    with pytest.raises(StoreError, match=message):
        Learner(job)
