"""Pieces and their sums."""

import numpy as np
import torch

from surrogate_nas.nets.workload import FIXED, Piece, Workload, always, joined
from surrogate_nas.space.network import Layer

STEM = Piece("layer", "stem", 3, 4, 8, 8)
BLOCK = Piece("block", "skip", 4, 4, 8, 8)
CODES = np.array([[0], [2]], dtype=np.int8)


def test_the_addition_is_no_module() -> None:
    x = torch.randn(1, 2, 4, 4)
    assert torch.equal(Piece("addition", "addition", 2, 2, 4, 4).build()(x), 2 * x)


def test_a_concatenation_is_as_wide_as_its_output() -> None:
    x = torch.randn(1, 2, 4, 4)
    assert torch.equal(Piece("layer", "concatenation", 2, 6, 4, 4).build()(x), torch.cat([x, x, x], dim=1))


def test_a_piece_has_the_sizes_of_its_layer() -> None:
    assert Piece.at("layer", "stem", Layer("stem", 3, 4, 8, 8, 0)) == STEM
    assert (STEM.key, STEM.group, STEM.input_shape) == ("layer:stem:3x8-4x8", FIXED, (3, 8, 8))
    assert BLOCK.group == "skip"


def test_what_every_architecture_runs_is_counted_as_often_as_it_is_given() -> None:
    part = always([STEM, BLOCK, STEM])
    assert part.pieces == (STEM, BLOCK)
    assert part.counts(CODES).tolist() == [[2, 1], [2, 1]]


def test_a_piece_of_several_parts_has_one_column() -> None:
    chosen = Workload((BLOCK,), lambda codes: codes.astype(np.int64))
    both = joined([always([STEM, BLOCK]), chosen])
    assert both.pieces == (STEM, BLOCK)
    assert both.counts(CODES).tolist() == [[1, 1], [1, 3]]
