"""Fits graph networks to targets: the only training loop for them."""

import math
from collections.abc import Callable, Iterator

import numpy as np
import torch
from scipy.stats import rankdata
from torch import Tensor, nn

from surrogate_nas.errors import Interrupted, TrainingError
from surrogate_nas.predictor.models.encoding import GraphBatch
from surrogate_nas.predictor.models.losses import LOSSES
from surrogate_nas.predictor.protocol import Floats
from surrogate_nas.predictor.settings import PredictorSettings


def rank_scale(targets: Floats) -> Floats:
    """Returns ranks, equal targets sharing their mean, with mean 0 and standard deviation 1, shape (M,).

    A supernet's losses have extreme outliers, and a tenth of a point matters more among good architectures than ten
    points among bad ones; ranks avoid both problems. All 0 where all targets are equal.
    """
    ranks = rankdata(targets)
    centred = ranks - ranks.mean()
    spread = centred.std()
    return np.asarray(centred / spread if spread > 0 else centred, dtype=np.float64)


def value_scale(targets: Floats) -> Floats:
    """Returns targets with mean 0 and standard deviation 1, shape (M,), as in GCN-fit; 0 if all are equal."""
    centred = targets - targets.mean()
    spread = centred.std()
    return np.asarray(centred / spread if spread > 0 else centred, dtype=np.float64)


def minibatches(count: int, batch_size: int, steps: int, generator: torch.Generator) -> Iterator[Tensor]:
    """Yields the positions of each step's batch: every architecture is drawn once before any is drawn again.

    Args:
        count: Number of architectures.
        batch_size: Positions per batch; smaller where there are fewer architectures.
        steps: Number of batches.
        generator: Source of randomness.
    """
    size = min(batch_size, count)
    waiting = torch.empty(0, dtype=torch.int64)
    for _ in range(steps):
        if len(waiting) < size:
            waiting = torch.cat([waiting, torch.randperm(count, generator=generator)])
        yield waiting[:size]
        waiting = waiting[size:]


def train(
    network: nn.Module,
    graphs: GraphBatch,
    targets: Floats,
    settings: PredictorSettings,
    generator: torch.Generator,
    should_stop: Callable[[], bool] | None = None,
) -> None:
    """Fits a network in place from its current weights: AdamW with a learning rate that falls to 0 as a cosine.

    Args:
        network: Maps a ``GraphBatch`` of B graphs to scores of shape (B,).
        graphs: Graphs of M architectures.
        targets: Shape (M,), larger is better; only the loss "mse_values" uses more than their order.
        settings: Steps, batch size, learning rate, weight decay and loss.
        generator: Source of the order of the batches.
        should_stop: Called before each step; True ends the fit.

    Raises:
        Interrupted: If ``should_stop`` returned True.
        TrainingError: If the loss is not finite.
    """
    loss_of = LOSSES[settings.loss]
    scale = value_scale if settings.loss == "mse_values" else rank_scale
    goals = torch.from_numpy(scale(targets)).float()
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=True
    )
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, settings.steps)
    network.train()
    for batch in minibatches(len(graphs), settings.batch_size, settings.steps, generator):
        if should_stop is not None and should_stop():
            raise Interrupted("the fit of the predictor was stopped; no part of it is kept")
        loss = loss_of(network(graphs.take(batch)), goals[batch])
        if not math.isfinite(loss.item()):
            raise TrainingError(f"the predictor's loss is {loss.item()}; a smaller learning rate may help")
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    network.eval()
