"""Gradient distances against gradients taken one by one, planted partitions, and contexts that are connected."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.stats import chisquare
from torch import Tensor, nn
from torch.nn import functional as F

from surrogate_nas.errors import StoreError, TrainingError, UnreadableError
from surrogate_nas.space.definitions.identity import Identity
from surrogate_nas.space.kinds.cell.space import CellSpace
from surrogate_nas.space.load import load_space
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.supernet import gradient_matching as matching
from surrogate_nas.supernet.gradient_matching import (
    Contexts,
    cut_member,
    cut_steps,
    distances_between,
    gradient_distances,
    uncut_decisions,
)
from surrogate_nas.supernet.plan import SupernetPlan
from surrogate_nas.supernet.splits.boxes import Box, whole_box
from surrogate_nas.supernet.splits.gradient_cuts import Cut, read_cut
from surrogate_nas.supernet.training import TrainingJob, train_member
from tests.fixtures.no_double import no_double

MakePlan = Callable[..., SupernetPlan]
MakeJob = Callable[..., TrainingJob]


def never() -> bool:
    return False


def ignore(_done: int) -> None:
    pass


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(5)
    return torch.randn(8, 1, 8, 8, generator=generator), torch.arange(8) % 4


@pytest.mark.parametrize("decision", [0, 3, 5])
def test_distances_are_of_the_weights_outside_the_edge(plan_of: MakePlan, decision: int) -> None:
    network = plan_of(split="none").build(0)
    codes = np.tile(np.array([3, 2, 1, 3, 4, 2], dtype=np.int8), (5, 1))
    codes[:, decision] = np.arange(5)
    images, labels = batch()
    rows = []
    for code in codes.tolist():
        network.zero_grad(set_to_none=True)
        F.cross_entropy(network(images, code), labels).backward()  # type: ignore[no-untyped-call]
        parts = []
        for place, layer in network.named_modules():
            for name, weight in layer.named_parameters(recurse=False):
                own = f"{place}.{name}".split(".operations.")[-1].split(".")[0] == str(decision)
                if ".operations." not in place or not own:
                    parts.append((torch.zeros_like(weight) if weight.grad is None else weight.grad).flatten())
        rows.append(torch.cat(parts).double().numpy())
    found = gradient_distances(network, decision, codes, np.ones(5, dtype=bool), images, labels)
    for i in range(5):
        for j in range(5):
            cosine = rows[i] @ rows[j] / np.linalg.norm(rows[i]) / np.linalg.norm(rows[j])
            assert found[i, j] == pytest.approx(0 if i == j else 1 - cosine, abs=1e-6)
    assert (found[~np.eye(5, dtype=bool)] > 1e-4).all()


def test_a_choice_without_gradient_is_at_distance_one(plan_of: MakePlan) -> None:
    network = plan_of(split="none").build(0)
    codes = np.array([[0, 0, 0, 3, 0, 0], [0, 0, 0, 2, 0, 0], [0, 0, 0, 0, 0, 0]], dtype=np.int8)
    found = gradient_distances(network, 3, codes, np.array([True, True, False]), *batch())
    assert found[2].tolist() == [1, 1, 0]
    assert 0 < found[0, 1] < 1.9


class TestContexts:
    @pytest.mark.parametrize("decision", range(6))
    def test_every_choice_leads_through_and_others_are_the_same(self, space: CellSpace, decision: int) -> None:
        box: Box = ((0, 1, 3), *whole_box(space)[1:])
        contexts = Contexts(space, box, decision)
        assert contexts.alive.all()
        for seed in range(100):
            codes = contexts.draw(np.random.default_rng(seed))
            assert space.is_connected(codes).all()
            assert tuple(codes[:, decision].tolist()) == box[decision]
            others = np.delete(codes, decision, axis=1)
            assert (others == others[0]).all()
            assert codes[0, 0] in box[0]

    def test_draws_are_uniform(self, triangle: CellSpace) -> None:
        contexts, rng = Contexts(triangle, whole_box(triangle), 1), np.random.default_rng(0)
        drawn = triangle.index(np.stack([contexts.draw(rng)[0] for _ in range(4000)]))
        _, frequencies = np.unique(drawn, return_counts=True)
        assert len(frequencies) == 9  # 2<-1 and 1<-0 must lead through, each by 3 operations
        assert chisquare(frequencies).pvalue > 1e-3

    def test_an_edge_that_every_path_takes_leaves_the_cut_choice_out(self) -> None:
        chain = CellSpace(Identity("chain", "1" * 16), ((0, 1), (1, 2)), ("none", "nor_conv_1x1"), NetworkSpec(2, 1, 8))
        contexts = Contexts(chain, whole_box(chain), 0)
        assert contexts.alive.tolist() == [False, True]
        assert contexts.draw(np.random.default_rng(0)).tolist() == [[0, 1], [1, 1]]


@pytest.mark.parametrize("column", range(1, 7))
def test_choices_of_a_layer_that_may_be_left_out_are_compared_where_it_is_the_last(column: int) -> None:
    space = load_space("quick_elastic")
    contexts = Contexts(space, whole_box(space), column)
    assert contexts.alive.all()
    for seed in range(20):
        codes = contexts.draw(np.random.default_rng(seed))
        assert space.is_drawn(codes).all()
        assert codes[:, column].tolist() == list(range(len(codes)))


def test_a_layer_that_always_stands_has_no_choice_to_be_left_out() -> None:
    space = load_space("quick_elastic")
    last = space.elastic_runs[0][-1]
    stands = tuple((0, 1) if column == last else allowed for column, allowed in enumerate(whole_box(space)))
    contexts = Contexts(space, stands, last - 1)
    assert contexts.alive.tolist() == [True, True, False]
    assert space.is_drawn(contexts.draw(np.random.default_rng(0))[:2]).all()


def test_what_was_cut_once_is_not_cut_again(space: CellSpace) -> None:
    assert uncut_decisions(space, whole_box(space)) == [0, 1, 2, 3, 4, 5]
    assert uncut_decisions(space, ((0, 1), *whole_box(space)[1:3], (2,), *whole_box(space)[4:])) == [1, 2, 4, 5]


@pytest.fixture
def parent(job_of: MakeJob) -> TrainingJob:
    """Returns a trained parent."""
    job = job_of(split="gradient", split_rounds=1, split_batches=3)
    job = replace(job, training=job.plan.phases[0][0])
    train_member(job, ignore, never)
    return job


class TestCutMember:
    def test_a_planted_partition_is_found(self, parent: TrainingJob, monkeypatch: pytest.MonkeyPatch) -> None:
        def planted(_network: object, decision: int, codes: np.ndarray, *_: object) -> np.ndarray:
            apart = np.isin(codes[:, decision], (1, 4))
            return np.where(apart[:, None] == apart[None, :], 0.1, 0.9 if decision == 4 else 0.5)

        monkeypatch.setattr(matching, "gradient_distances", planted)
        assert cut_member(parent, ignore, never) == Cut(4, ((0, 2, 3), (1, 4)))

    @pytest.mark.slow
    def test_it_is_written_and_found_again(self, parent: TrainingJob) -> None:
        told: list[int] = []
        cut = cut_member(parent, told.append, never)
        assert told == [30, 60, 90]
        assert told[-1] == cut_steps(parent.plan, 0)
        space = parent.plan.space
        assert read_cut(parent.cut, space, whole_box(space), parent.belongs_to) == cut
        before = parent.cut.read_bytes()
        parent.cut.unlink()
        assert cut_member(parent, ignore, never) == cut
        assert parent.cut.read_bytes() == before
        distances = {name: np.array(table) for name, table in json.loads(before)["distances"].items()}
        assert list(distances) == [decision.name for decision in space.decisions]
        for table in distances.values():
            assert np.allclose(table, table.T)
            assert (np.diag(table) == 0).all()
            assert ((table >= 0) & (table <= 2)).all()

    def test_a_stop_leaves_nothing(self, parent: TrainingJob) -> None:
        asked = iter(range(2))
        assert cut_member(parent, ignore, lambda: next(asked, None) is None) is None
        assert not parent.cut.exists()

    def test_a_training_that_is_not_finished_is_refused(self, job_of: MakeJob) -> None:
        job = job_of(split="gradient", name="part")
        job = replace(job, training=job.plan.phases[0][0])
        with pytest.raises(UnreadableError, match=r"parent\.safetensors is missing"):
            cut_member(job, ignore, never)
        asked = iter(range(1))
        train_member(job, ignore, lambda: next(asked, None) is None)
        with pytest.raises(StoreError, match="stopped at step 1 of 3"):
            cut_member(job, ignore, never)

    def test_gradients_that_are_not_finite_are_named(
        self, parent: TrainingJob, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(matching, "gradient_distances", lambda *_: np.full((5, 5), np.nan))
        with pytest.raises(TrainingError, match="gradients of supernet parent are not finite"):
            cut_member(parent, ignore, never)
        assert not Path(parent.cut).exists()


def test_a_device_needs_no_double_precision(plan_of: MakePlan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matching, "in_double", lambda tensor: tensor)
    codes, alive = np.array([[choice, 3, 3, 3, 3, 3] for choice in (1, 2)]), np.array([True, False])
    with no_double():
        gradient_distances(plan_of(split="none").build(0), 0, codes, alive, *batch())


def test_what_an_operation_draws_is_no_distance_between_choices() -> None:
    weight = nn.Parameter(torch.ones(64, 3))
    network = SimpleNamespace(weights_of=lambda _: [], parameters=lambda: [weight])

    def dropped(images: Tensor) -> Tensor:
        return F.dropout(images, 0.5) @ weight

    images, labels = torch.randn(8, 64), torch.arange(8) % 3
    found = distances_between(network, 0, [dropped, dropped], np.ones(2, dtype=np.bool_), (images, labels))  # type: ignore[arg-type]
    np.testing.assert_allclose(found, 0, atol=1e-6)
