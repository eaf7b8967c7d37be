"""Subspaces hold what their split assigns to them, and uniform draws are from them."""

import numpy as np
import pytest

from surrogate_nas.gradient.distributions.subspace import Subspace
from surrogate_nas.space.kinds.cell.space import CellSpace
from surrogate_nas.supernet.splits.bands import BandSplit
from surrogate_nas.supernet.splits.boxes import BoxSplit
from surrogate_nas.supernet.splits.edge import edge_boxes
from surrogate_nas.supernet.splits.split import Split


@pytest.mark.parametrize("kind", ["boxes", "bands"])
def test_subspaces_part_the_connected_architectures(triangle: CellSpace, kind: str) -> None:
    boxes = kind == "boxes"
    split: Split = BoxSplit(triangle, edge_boxes(triangle, None)) if boxes else BandSplit(triangle, ((0,), (1, 2)))
    every = triangle.all_codes()
    held = np.stack([Subspace(triangle, split, group).holds(every) for group in range(split.groups)])
    assert held.sum(axis=0).tolist() == triangle.is_connected(every).astype(int).tolist()
    assert [len(Subspace(triangle, split, group).codes()) for group in range(split.groups)] == list(split.population())


def test_uniform_draws_are_of_the_subspace(triangle: CellSpace) -> None:
    part = Subspace(triangle, BandSplit(triangle, ((0,), (1, 2))), 1)
    rng = np.random.default_rng(0)
    codes = np.stack([part.uniform(rng) for _ in range(600)])
    assert part.holds(codes).all()
    assert len(np.unique(codes, axis=0)) == len(part.codes())


def test_names_say_what_is_held(triangle: CellSpace) -> None:
    assert Subspace(triangle).name == "whole space"
    assert Subspace(triangle, BandSplit(triangle, ((0,), (1, 2))), 0).name == "0 nonlinear"
