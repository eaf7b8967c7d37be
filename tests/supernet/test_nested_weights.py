"""Nested supernets of chains: subnets are networks of their own, and trainings resume and repeat."""

import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from surrogate_nas.data.settings import DataSettings
from surrogate_nas.errors import SettingsError, SpaceError
from surrogate_nas.nets.standalone import build_network
from surrogate_nas.space.load import load_space
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.space import Space
from surrogate_nas.supernet.evaluation import evaluate
from surrogate_nas.supernet.extract import extract_weights
from surrogate_nas.supernet.gradient_matching import cut_member
from surrogate_nas.supernet.plan import make_plan
from surrogate_nas.supernet.settings import SupernetSettings
from surrogate_nas.supernet.shared_network import SharedNetwork, initialise
from surrogate_nas.supernet.training import TrainingJob, train_member
from tests.supernet.trainings import after, assert_identical, content, ignore, never

WIDTHS = """
name = "widths"
source = "for tests"
kind = "chain"
operations = ["mbconv_k3_e1", "mbconv_k5_e2", "mbconv_k3_e2_se", "mbconv_k5_e1_se"]
before = [{ layer = "conv_bn_relu_k3", width = 4 }]
stages = [{ layers = 1, width = [6, 8] }, { layers = 2, least_layers = 1, width = [9, 12, 16], stride = 2 }]
after = [{ layer = "conv_bn_relu_k1", width = 16 }]
network = { image_size = 8 }
elastic = { resolutions = [6, 8] }
"""
SPACES = ("nasbench_macro", "images32", "mobilenet", "ofa_mobilenetv3", "fbnet", "digits", "quick_elastic", "widths")
FEW = {"steps": 6, "batch_size": 8, "checkpoint_seconds": 1e9, "preset": "oneshot", "weights": "nested"}


@pytest.fixture(scope="module")
def space_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Space]:
    path = tmp_path_factory.mktemp("space") / "widths.toml"
    path.write_text(WIDTHS)
    return lambda name: load_space(str(path) if name == "widths" else name)


def small(space: Space) -> NetworkSpec:
    channels = {"widths": 8, "images32": 8}.get(space.name, 4)
    return replace(space.network, channels=channels, image_size=8, input_channels=1, classes=4)


@pytest.mark.quick_cases(4)
@pytest.mark.parametrize("thresholds", [(), (5.0,)])
@pytest.mark.parametrize("name", SPACES)
def test_a_subnet_is_a_network_of_its_own(
    space_of: Callable[[str], Space], name: str, thresholds: tuple[float, ...]
) -> None:
    space = space_of(name)
    sizes = small(space)
    shared = SharedNetwork(space, sizes, thresholds, nested=True)
    initialise(shared, 1)
    shared = shared.double()
    images = torch.randn(2, 16, 1, 8, 8, generator=torch.Generator().manual_seed(0)).double()
    labels = torch.arange(16) % 4
    for code in space.sample(4, np.random.default_rng(2)):
        network = build_network(space, space.effective([code])[0], sizes).double()
        extract_weights(network, shared, code)
        with torch.no_grad():
            torch.testing.assert_close(network.train()(images[0]), shared(images[0], code.tolist()))
        # Statistics of one batch, recorded by both: momentum 1 keeps it alone.
        for part in network.modules():
            if isinstance(part, torch.nn.BatchNorm2d):
                part.momentum = 1.0
        network(images[0])
        _, loss = evaluate(shared, tuple(code.tolist()), [(images[0], labels)], [(images[1], labels)])
        alone = torch.nn.functional.cross_entropy(network.eval()(images[1]), labels)
        assert loss == pytest.approx(alone.item(), rel=1e-9)


def test_a_layer_has_the_largest_block_of_each_structure_alone() -> None:
    def weights(name: str, names: str) -> dict[str, tuple[int, ...]]:
        space = load_space(name)
        found = SharedNetwork(space, small(space), nested=True).layers[3].named_parameters()
        return {key: tuple(one.shape) for key, one in found if key.startswith(names)}

    # Macro: a skip, and k3_e3 inside k5_e6. FBNet: e1 to e6 of both kernels, then e1 in two groups, then a skip.
    assert weights("nasbench_macro", "0.blocks.") == {
        "0.blocks.0.1.weight": (8, 4, 1, 1),
        "0.blocks.1.0.weight": (24, 4, 1, 1),
        "0.blocks.1.3.weight": (24, 1, 5, 5),
        "0.blocks.1.6.weight": (8, 24, 1, 1),
    }
    assert weights("fbnet", "0.blocks.") == {
        "0.blocks.0.0.weight": (36, 6, 1, 1),
        "0.blocks.0.3.weight": (36, 1, 5, 5),
        "0.blocks.0.6.weight": (6, 36, 1, 1),
        "0.blocks.1.0.weight": (6, 3, 1, 1),
        "0.blocks.1.4.weight": (6, 1, 5, 5),
        "0.blocks.1.7.weight": (6, 3, 1, 1),
    }


def job_of(images: Path, folder: Path, space: Space, member: int = 0, **given: object) -> TrainingJob:
    plan = make_plan(space, small(space), SupernetSettings.model_validate(FEW | given), 3)
    return TrainingJob(plan, plan.training(member), images, DataSettings(source="digits"), folder, {"space": "s"})


KINDS: dict[str, dict[str, Any]] = {
    "sandwich": {"sampler": "sandwich"},
    "sorted": {"sampler": "sandwich", "largest_share": 0.5},
    "copies": {"split": "nonlinear", "groups": 2, "sharing": "depth", "sampler": "sandwich", "weight_average": 0.5},
    "a band": {"split": "nonlinear", "groups": 2, "sampler": "sandwich", "member": 1, "momentum_groups": "separated"},
}


@pytest.mark.quick_cases(1)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["nasbench_macro", "widths"])
def test_a_stopped_training_goes_on_as_if_it_had_not_and_repeats(
    space_of: Callable[[str], Space], images: Path, tmp_path: Path, name: str, kind: str
) -> None:
    whole, again, parts = (job_of(images, tmp_path / one, space_of(name), **KINDS[kind]) for one in "abc")
    again = pickle.loads(pickle.dumps(again))
    for job in (whole, again):
        assert train_member(job, ignore, never)
    assert_identical(content(again), content(whole))
    for steps in (1, 3):
        assert not train_member(parts, ignore, after(steps))
    assert train_member(parts, ignore, never)
    assert_identical(content(parts), content(whole))


def test_gradients_cut_a_nested_chain(space_of: Callable[[str], Space], images: Path, tmp_path: Path) -> None:
    given = {"split": "gradient", "split_rounds": 1, "split_batches": 2, "parent_share": 0.5, "sampler": "sandwich"}
    plan = make_plan(space_of("quick"), small(space_of("quick")), SupernetSettings.model_validate(FEW | given), 0)
    job = TrainingJob(plan, plan.phases[0][0], images, DataSettings(source="digits"), tmp_path, {"space": "s"})
    assert train_member(job, ignore, never)
    assert cut_member(job, ignore, never) is not None


@pytest.mark.parametrize("name", ["nasbench201", "darts"])
def test_spaces_without_blocks_are_refused(name: str) -> None:
    space = load_space(name)
    with pytest.raises(SettingsError, match=r"supernet.weights = 'nested' needs layers that choose a block") as refusal:
        make_plan(space, space.network, SupernetSettings(weights="nested"), 0)
    assert str(refusal.value).endswith(f"{name} has none: set supernet.weights to 'own'")


def test_nothing_is_sorted_where_every_block_has_its_own_weights() -> None:
    space = load_space("nasbench_macro")
    with pytest.raises(SettingsError, match=r"supernet.largest_share sorts channels for narrower blocks, and here"):
        make_plan(space, small(space), SupernetSettings(largest_share=0.5), 0)


def test_the_largest_subnet_is_trained_first_and_sorted_once(
    space_of: Callable[[str], Space], images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = job_of(images, tmp_path, space_of("nasbench_macro"), sampler="uniform", largest_share=0.5)
    agenda, steps = job.plan.agenda(job.training), range(6)
    assert [agenda.step(step).codes == ((2,) * 8,) for step in steps] == [True] * 3 + [False] * 3
    assert [agenda.step(step).codes for step in steps[3:]] == [
        (tuple(job.plan.sampler(job.training).draw(step)[0].tolist()),) for step in steps[3:]
    ]
    done: list[int] = []
    sorted_after: list[int] = []

    def note(_network: object) -> list[object]:
        sorted_after.append(done[-1])
        return []

    monkeypatch.setattr("surrogate_nas.supernet.training.by_importance", note)
    assert train_member(job, done.append, never)
    assert sorted_after == [3]


@pytest.mark.parametrize(("steps", "sorted_at"), [(0, None), (1, None), (10, 9), (100, 97)])
def test_a_step_is_left_for_the_other_subnets(
    space_of: Callable[[str], Space], images: Path, tmp_path: Path, steps: int, sorted_at: int | None
) -> None:
    job = job_of(images, tmp_path, space_of("nasbench_macro"), sampler="uniform", largest_share=0.97)
    assert job.plan.sorted_at(replace(job.training, first_step=0, last_step=steps)) == sorted_at


OWN = """
from torch import nn
from surrogate_nas import operation

@operation("own_prelu", nonlinear_functions=1, reach=0)
def own(in_channels, out_channels, stride, norm):
    return nn.Sequential(nn.Conv2d(in_channels, out_channels, 1, stride, bias=False), nn.PReLU(out_channels))
"""


@pytest.mark.parametrize("weights", ["own", "nested"])
def test_blocks_of_users_are_their_own_structure_and_narrower_ones_must_be_parts(tmp_path: Path, weights: str) -> None:
    (tmp_path / "own.py").write_text(OWN)
    text = WIDTHS.replace('operations = ["mbconv_k3_e1"', 'program = "own.py"\noperations = ["own_prelu"')
    (tmp_path / "sized.toml").write_text(text)
    (tmp_path / "fixed.toml").write_text(text.replace("width = [6, 8]", "width = 8").replace("[9, 12, 16]", "16"))
    settings = SupernetSettings.model_validate(FEW | {"weights": weights})
    space = load_space(str(tmp_path / "fixed.toml"))
    network = make_plan(space, small(space), settings, 0).build(0)
    assert network(torch.randn(4, 1, 8, 8), [1] + [0] * 3).shape == (4, 4)
    space = load_space(str(tmp_path / "sized.toml"))
    with pytest.raises(SpaceError, match="of own_prelu is a PReLU, and parts are taken of Conv2d, Linear and norm"):
        make_plan(space, small(space), settings, 0)
