"""Updates a network in training: its weights, momenta and mean weights.

Symbols:
    B: images of a batch; C: channels; K: classes; S: side in pixels.
"""

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from surrogate_nas.data.classes.balance import Tally, class_weighted_loss, image_weights
from surrogate_nas.data.images import ImageSet
from surrogate_nas.nets.own_draws import drawn_by
from surrogate_nas.training.distillation import Teacher
from surrogate_nas.training.network_checkpoint import load_training, save_training
from surrogate_nas.training.settings import TrainingSettings


def rate_factor(progress: float, warmup: float) -> float:
    """Returns the learning rate relative to its highest, for a share of the steps, 0 to 1; linear, then a cosine."""
    if progress < warmup:
        return progress / warmup
    return 0.5 * (1 + math.cos(math.pi * (progress - warmup) / (1 - warmup)))


class Learner:
    """Trains a network by stochastic gradient descent, by the settings.

    Args:
        network: Network on the CPU; it is moved to the device.
        settings: The recipe.
        steps: Steps in total, which rates and means depend on.
        device: Device to train on.
        distributed: Whether the process group's processes share each batch and so the gradients.
    """

    def __init__(
        self,
        network: nn.Module,
        settings: TrainingSettings,
        steps: int,
        device: torch.device,
        *,
        distributed: bool,
        seed: tuple[int, ...] = (0,),
    ) -> None:
        network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._network, self._settings, self._steps, self._device = network, settings, steps, device
        self._parallel = DistributedDataParallel(network) if distributed else network
        self._seed = seed
        self._teacher: Teacher | None = None
        self._class_weights: Tensor | None = None
        self._optimizer = torch.optim.SGD(
            _groups(network, settings),
            lr=settings.learning_rate,
            momentum=settings.momentum,
            nesterov=settings.momentum > 0,
        )
        head = {id(one) for one in _layers(network)[-1].parameters()}
        self._body = [one for one in network.parameters() if id(one) not in head]
        self._mean: AveragedModel | None = None
        if settings.ema:
            decay = max(0.0, 1 - 1 / max(1.0, settings.ema * steps))
            self._mean = AveragedModel(network, multi_avg_fn=_running_mean(decay), use_buffers=True)
        self._half = settings.precision == "bfloat16" or (settings.precision == "auto" and gpu_has_bfloat16(device))

    @property
    def result(self) -> nn.Module:
        """Network with its final weights: their mean where there is one."""
        return self._network if self._mean is None else self._mean.module

    def learn_from(self, teacher: Teacher) -> None:
        """Adds a teacher to the loss of all further steps."""
        self._teacher = teacher

    def weigh(self, class_weights: Tensor | None) -> None:
        """Weighs images by their classes, (K,), in the loss of all further steps, by labels and by a teacher."""
        self._class_weights = None if class_weights is None else class_weights.to(self._device)

    def step(self, images: Tensor, labels: Tensor, step: int, part: float = 1.0) -> float:
        """Trains one step and returns the loss.

        Args:
            images: Normalised, shape (B, C, S, S).
            labels: int64, shape (B,), or the share of each class, shape (B, K).
            step: Number of the step, counted from 0.
            part: Images of this process over the mean of all processes, which average their gradients as equals.
        """
        self._network.train()
        # In a few steps in all, one at a rate of zero is too many.
        warmup = self._settings.warmup if self._settings.warmup * self._steps > 1 else 0.0
        rate = self._settings.learning_rate * rate_factor(step / self._steps, warmup)
        for group in self._optimizer.param_groups:
            group["lr"] = rate * group["share"]
        self._optimizer.zero_grad(set_to_none=True)
        images = images.contiguous(memory_format=torch.channels_last)
        with (
            torch.autocast(self._device.type, torch.bfloat16, enabled=self._half),
            drawn_by((*self._seed, step), self._device),
        ):
            scores = self._parallel(images).float()
            taught = self._teacher.scores(images) if self._teacher else None
        loss = class_weighted_loss(scores, labels, self._class_weights, label_smoothing=self._settings.label_smoothing)
        if self._teacher and taught is not None:
            loss = self._teacher.loss(loss, scores, taught, image_weights(labels, self._class_weights))
        (loss if part == 1 else loss * part).backward()  # type: ignore[no-untyped-call]
        if step < self._settings.head_share * self._steps:
            for parameter in self._body:
                parameter.grad = None
        if self._settings.clip_norm is not None:
            nn.utils.clip_grad_norm_(self._network.parameters(), self._settings.clip_norm)
        self._optimizer.step()
        if self._mean is not None:
            self._mean.update_parameters(self._network)
        return float(loss.detach())

    def save(self, path: Path, step: int, identity: Mapping[str, str]) -> None:
        """Writes a checkpoint; see ``save_training``."""
        save_training(path, self._network, self._optimizer, step, identity, self._mean)

    def load(self, path: Path, identity: Mapping[str, str]) -> int:
        """Continues from a checkpoint and returns the steps done; see ``load_training``."""
        return load_training(path, self._network, self._optimizer, identity, self._mean)


def _running_mean(decay: float) -> Callable[..., None]:
    update: Callable[..., None] = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]
    return update


def _layers(network: nn.Module) -> list[nn.Module]:
    """Returns the parts of a network that have weights, in the order of the data."""
    return [part for part in network.children() if any(True for _ in part.parameters())] or [network]


def _groups(network: nn.Module, settings: TrainingSettings) -> list[dict[str, Any]]:
    """Returns groups of parameters, each with its share of the learning rate."""
    if settings.layer_decay == 1:
        return [{**group, "share": 1.0} for group in _decayed_apart(network, settings)]
    return [
        {**group, "share": settings.layer_decay**behind}
        for behind, layer in enumerate(reversed(_layers(network)))
        for group in _decayed_apart(layer, settings)
    ]


def _decayed_apart(layers: nn.Module, settings: TrainingSettings) -> list[dict[str, Any]]:
    """Returns groups of parameters: weights of layers, which decay, and vectors (norms and biases), which may not."""
    parameters = list(layers.parameters())
    apart = [] if settings.decay_norms else [one for one in parameters if one.ndim < 2]
    decayed = parameters if settings.decay_norms else [one for one in parameters if one.ndim >= 2]
    groups = [{"params": decayed, "weight_decay": settings.weight_decay}, {"params": apart, "weight_decay": 0.0}]
    return [group for group in groups if group["params"]]


def gpu_has_bfloat16(device: torch.device) -> bool:
    """Returns whether a device is a GPU that computes in bfloat16."""
    return device.type == "cuda" and torch.cuda.get_device_capability(device) >= (8, 0)


@torch.no_grad()
def evaluate(
    network: nn.Module,
    images: ImageSet,
    normalised: Callable[[Tensor], Tensor],
    batch_size: int,
    *,
    by_class: bool = False,
) -> tuple[float, float]:
    """Returns the accuracy in percent and the mean cross-entropy on a set of images.

    Args:
        network: The network; it is left in evaluation mode.
        images: The images.
        normalised: Converts uint8 images as the network takes them.
        batch_size: Images at once.
        by_class: Whether every class counts the same, not every image.
    """
    network.eval()
    tally = Tally(images.labels, by_class=by_class)
    for pixels, labels in images.in_order(batch_size):
        tally.add(network(normalised(pixels).contiguous(memory_format=torch.channels_last)), labels)
    return tally.accuracy_percent, tally.loss
