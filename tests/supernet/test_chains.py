"""Every split, sampler, rate and momentum rule on a chain, for a few steps."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

from surrogate_nas.data.settings import DataSettings
from surrogate_nas.space.load import load_space
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.supernet.evaluation import EvaluationJob, evaluate_member
from surrogate_nas.supernet.gradient_matching import Contexts, cut_member
from surrogate_nas.supernet.plan import make_plan
from surrogate_nas.supernet.settings import SupernetSettings
from surrogate_nas.supernet.splits.gradient_cuts import read_cut
from surrogate_nas.supernet.training import TrainingJob, train_member

QUICK = load_space("quick")
NETWORK = NetworkSpec(4, 1, 8, input_channels=1, classes=4, stages=2)
FEW = {"steps": 4, "batch_size": 8, "checkpoint_seconds": 1e9, "preset": "oneshot"}


def trained(images: Path, folder: Path, **given: object) -> TrainingJob:
    plan = make_plan(QUICK, NETWORK, SupernetSettings.model_validate(FEW | given), 0)
    job = TrainingJob(plan, plan.phases[0][0], images, DataSettings(source="digits"), folder, {"space": "s"})
    assert train_member(job, lambda _: None, lambda: False)
    return job


@pytest.mark.parametrize(
    "given",
    [
        {"split": "none", "sharing": "one", "sampler": "fair"},
        {"split": "none", "sharing": "one", "sampler": "uniform", "momentum_groups": "separated"},
        {"split": "nonlinear", "groups": 3, "sharing": "whole", "sampler": "balanced"},
        {"split": "nonlinear", "groups": 2, "sharing": "depth", "sampler": "per_group"},
        {"split": "nonlinear", "groups": 4, "sharing": "one", "sampler": "balanced", "schedule": "complexity"},
        {"split": "none", "sampler": "nonlinear"},
        {"split": "edge", "split_edge": "2.1", "sharing": "whole", "sampler": "nonlinear"},
    ],
    ids=lambda given: "-".join(map(str, given.values())),
)
def test_a_chain_trains_under_every_rule(images: Path, tmp_path: Path, given: dict[str, object]) -> None:
    job = trained(images, tmp_path, **given)
    assert job.checkpoint.exists()


def test_elastic_depth_and_resolution_train_and_are_evaluated(images: Path, tmp_path: Path) -> None:
    """Every rule sees decisions alone: one where losses of every resolution meet, with momenta of their own."""
    space = load_space("quick_elastic")
    given = FEW | {"split": "nonlinear", "groups": 2, "sharing": "depth", "sampler": "fair", "schedule": "complexity"}
    plan = make_plan(space, NETWORK, SupernetSettings.model_validate(given | {"momentum_groups": "separated"}), 0)
    job = TrainingJob(plan, plan.phases[0][0], images, DataSettings(source="digits"), tmp_path, {})
    assert train_member(job, lambda _: None, lambda: False)
    codes = ((0, 0, 2, 1, 0, 1, 2), (0, 0, 1, 2, 0, 1, 2), (1, 0, 1, 2, 0, 1, 2))
    assert plan.member_of(np.array(codes)).tolist() == [0, 0, 0]
    wanted = EvaluationJob(plan, 0, codes, images, 40, 20, job.checkpoint, job.belongs_to)
    found = evaluate_member(wanted, lambda _: None, lambda: False)
    assert found is not None
    assert found.loss[0] == found.loss[1] != found.loss[2]  # a layer that is left out is the last one


def test_a_chain_is_cut_by_gradients(images: Path, tmp_path: Path) -> None:
    given = {"split": "gradient", "split_rounds": 1, "split_batches": 2, "sharing": "whole", "parent_share": 0.5}
    job = trained(images, tmp_path, **given)
    cut = cut_member(job, lambda _: None, lambda: False)
    assert cut is not None
    assert read_cut(job.cut, QUICK, job.plan.box(job.training), job.belongs_to) == cut
    assert job.plan.with_cuts([cut]).split.groups == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("given", "groups"),
    [
        ({"split": "none", "sharing": "one"}, 1),
        ({"split": "nonlinear", "groups": 4}, 4),
        ({"split": "edge", "split_edge": "3.2"}, 9),
        ({"split": "none", "sharing": "one", "sampler": "fair"}, 1),
    ],
)
def test_plans_of_spaces_that_cannot_be_listed(given: dict[str, object], groups: int) -> None:
    space = load_space("fbnet")
    sizes = NetworkSpec(4, 1, 32, stages=7)
    plan = make_plan(space, sizes, SupernetSettings.model_validate(FEW | given | {"schedule": "complexity"}), 0)
    plan = pickle.loads(pickle.dumps(plan))
    assert plan.split.groups == groups
    assert sum(plan.split.population()) == space.size
    for member in range(plan.members):
        agenda = plan.agenda(plan.training(member))
        codes = np.array(agenda.step(1).codes)
        if groups > 1:
            assert (plan.member_of(codes) == member).all()


def test_bands_are_drawn_from_uniformly_without_a_list(monkeypatch: pytest.MonkeyPatch) -> None:
    given = FEW | {"split": "nonlinear", "groups": 2}
    listed = make_plan(QUICK, NETWORK, SupernetSettings.model_validate(given), 0).split
    monkeypatch.setattr("surrogate_nas.space.space.LISTING_LIMIT", 1)
    drawn = make_plan(QUICK, NETWORK, SupernetSettings.model_validate(given), 0).split
    monkeypatch.undo()
    assert drawn.population() == listed.population()
    for group, population in enumerate(drawn.population()):
        codes = drawn.sample(group, 200 * population, np.random.default_rng(0))
        counts = np.bincount(QUICK.index(codes), minlength=QUICK.size)
        members = listed.assign(QUICK.all_codes()) == group
        assert counts[~members].sum() == 0
        assert ((counts[members] - 200) ** 2 / 200).sum() < 2.5 * population


def test_contexts_need_no_list(monkeypatch: pytest.MonkeyPatch) -> None:
    space = load_space("fbnet")
    box = tuple(tuple(range(9)) for _ in space.decisions)
    codes = Contexts(space, box, 5).draw(np.random.default_rng(0))
    assert codes[:, 5].tolist() == list(range(9))
    assert (np.delete(codes, 5, axis=1) == np.delete(codes, 5, axis=1)[0]).all()


def test_biases_of_convolutions_come_from_no_other_seed() -> None:
    weights = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        plan = make_plan(QUICK, NETWORK, SupernetSettings.model_validate(FEW), 0)
        weights.append(list(plan.build(0).parameters()))
    assert all(torch.equal(one, other) for one, other in zip(*weights, strict=True))
