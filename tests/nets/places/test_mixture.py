"""A mixture runs the choices that have a weight."""

import torch

from surrogate_nas.nets.places.mixture import Mixture


def test_choices_of_weight_zero_are_left_out() -> None:
    assert Mixture.of([torch.tensor([0.0, 0.3, 0.7]), torch.tensor([1.0, 0.0])]).computed == ((1, 2), (0,))


def test_one_hot_weights_are_one_architecture() -> None:
    mixture = Mixture.one_hot([2, 0], [3, 2])
    assert mixture.computed == ((2,), (0,))
    assert [weights.tolist() for weights in mixture.weights] == [[0, 0, 1], [1, 0]]
