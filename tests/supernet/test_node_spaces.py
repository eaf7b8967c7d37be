"""Every split, sampler, rate and momentum rule on cells of node choices, for a few steps."""

from pathlib import Path

import numpy as np
import pytest

from surrogate_nas.data.settings import DataSettings
from surrogate_nas.space.load import load_space
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.supernet.evaluation import EvaluationJob, evaluate_member
from surrogate_nas.supernet.gradient_matching import cut_member
from surrogate_nas.supernet.plan import make_plan
from surrogate_nas.supernet.settings import SupernetSettings
from surrogate_nas.supernet.splits.gradient_cuts import read_cut
from surrogate_nas.supernet.training import TrainingJob, train_member

SPACES = {name: load_space(name) for name in ("darts", "nasbench1shot1_1")}
OF_SPACES = pytest.mark.parametrize("name", SPACES)
NETWORK = NetworkSpec(2, 1, 8, input_channels=1, classes=4)
FEW = {"steps": 3, "batch_size": 8, "checkpoint_seconds": 1e9, "preset": "oneshot"}


def ignore(_done: int) -> None:
    pass


def never() -> bool:
    return False


def trained(name: str, images: Path, folder: Path, **given: object) -> TrainingJob:
    """Returns a finished training of the first phase."""
    plan = make_plan(SPACES[name], NETWORK, SupernetSettings.model_validate(FEW | given), 0)
    job = TrainingJob(plan, plan.phases[0][0], images, DataSettings(source="digits"), folder, {"space": name})
    assert train_member(job, ignore, never)
    return job


@pytest.mark.quick_cases(1)
@OF_SPACES
@pytest.mark.parametrize(
    "given",
    [
        {"split": "none", "sharing": "one", "sampler": "fair", "momentum_groups": "separated"},
        {"split": "none", "sharing": "one", "sampler": "uniform", "schedule": "complexity", "final_learning_rate": 0},
        {"split": "nonlinear", "groups": 3, "sharing": "whole", "sampler": "balanced"},
        {"split": "nonlinear", "groups": 2, "sharing": "depth", "sampler": "per_group"},
        {"split": "edge", "sharing": "whole"},
    ],
    ids=lambda given: "-".join(map(str, given.values())),
)
def test_cells_train_under_every_rule(name: str, images: Path, tmp_path: Path, given: dict[str, object]) -> None:
    assert trained(name, images, tmp_path, **given).checkpoint.exists()


def test_a_space_is_cut_by_gradients(images: Path, tmp_path: Path) -> None:
    name = "nasbench1shot1_1"
    given = {"split": "gradient", "split_rounds": 1, "split_batches": 1, "sharing": "whole", "parent_share": 0.5}
    job = trained(name, images, tmp_path, **given)
    cut = cut_member(job, ignore, never)
    assert cut is not None
    assert read_cut(job.cut, SPACES[name], job.plan.box(job.training), job.belongs_to) == cut
    assert job.plan.with_cuts([cut]).split.groups == 2


@OF_SPACES
def test_subnets_are_evaluated(name: str, images: Path, tmp_path: Path) -> None:
    job = trained(name, images, tmp_path, split="none", sharing="one", sampler="uniform")
    codes = tuple(map(tuple, SPACES[name].sample(2, np.random.default_rng(0)).tolist()))
    evaluation = evaluate_member(
        EvaluationJob(job.plan, 0, codes, images, 20, 16, job.checkpoint, job.belongs_to), ignore, never
    )
    assert evaluation is not None
    assert ((evaluation.accuracy_percent >= 0) & (evaluation.accuracy_percent <= 100)).all()
