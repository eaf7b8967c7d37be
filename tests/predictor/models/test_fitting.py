"""The fitting loop on problems whose answer is known."""

import copy

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr
from torch import Tensor, nn

from surrogate_nas.errors import Interrupted, TrainingError
from surrogate_nas.predictor.models.encoding import GraphBatch
from surrogate_nas.predictor.models.fitting import minibatches, rank_scale, train
from surrogate_nas.predictor.models.losses import LOSSES
from surrogate_nas.predictor.settings import PredictorSettings


class OnePerType(nn.Module):
    """Scores a graph by the type of its first node alone."""

    def __init__(self, types: int) -> None:
        super().__init__()
        self.value = nn.Embedding(types, 1)
        nn.init.zeros_(self.value.weight)

    def forward(self, graphs: GraphBatch) -> Tensor:
        score: Tensor = self.value(graphs.operations[:, 0]).squeeze(-1)
        return score


def graphs_of(types: np.ndarray) -> GraphBatch:
    return GraphBatch(torch.from_numpy(types)[:, None], torch.zeros(len(types), 1, 1))


@pytest.mark.parametrize("loss", list(LOSSES))
def test_every_loss_finds_the_order(loss: str) -> None:
    types = np.arange(40) % 10
    network = OnePerType(10)
    settings = PredictorSettings.model_validate({"loss": loss, "steps": 100, "learning_rate": 0.05})
    train(network, graphs_of(types), np.exp(-types.astype(float)), settings, torch.Generator().manual_seed(0))
    assert spearmanr(network.value.weight.detach().numpy()[:, 0], -np.arange(10)).statistic > 0.95


def test_a_second_fit_goes_on_from_the_weights_there_are() -> None:
    network = OnePerType(4)
    settings = PredictorSettings(steps=1, learning_rate=1e-6)
    with torch.no_grad():
        network.value.weight += 5
    before = copy.deepcopy(network.value.weight.detach())
    train(network, graphs_of(np.arange(4)), np.arange(4.0), settings, torch.Generator().manual_seed(0))
    torch.testing.assert_close(network.value.weight.detach(), before, atol=1e-4, rtol=0)


@given(st.lists(st.integers(-1000, 1000), min_size=2, max_size=30))
def test_only_the_order_of_the_targets_counts(values: list[int]) -> None:
    targets = np.array(values, dtype=np.float64)
    scaled = rank_scale(targets)
    np.testing.assert_allclose(rank_scale(np.cbrt(targets) * 7 + 1), scaled, atol=1e-12)
    assert scaled.mean() == pytest.approx(0, abs=1e-9)
    assert scaled.std() == pytest.approx(1 if np.ptp(targets) > 0 else 0)


@given(count=st.integers(1, 50), size=st.integers(1, 20))
def test_nothing_is_drawn_again_before_everything_was_drawn_once(count: int, size: int) -> None:
    steps = 3 * count
    drawn = torch.cat(list(minibatches(count, size, steps, torch.Generator().manual_seed(0)))).numpy()
    assert len(drawn) == steps * min(size, count)
    for start in range(0, len(drawn) - count + 1, count):
        assert sorted(drawn[start : start + count]) == list(range(count))


def test_it_stops_when_told() -> None:
    asked = iter([False, False, True])
    with pytest.raises(Interrupted, match="stopped"):
        train(
            OnePerType(4),
            graphs_of(np.arange(4)),
            np.arange(4.0),
            PredictorSettings(steps=9),
            torch.Generator(),
            lambda: next(asked),
        )


def test_a_fit_that_diverges_is_an_error() -> None:
    network = OnePerType(4)
    with torch.no_grad():
        network.value.weight[0] = torch.nan
    with pytest.raises(TrainingError, match="nan"):
        train(network, graphs_of(np.arange(4)), np.arange(4.0), PredictorSettings(), torch.Generator())
