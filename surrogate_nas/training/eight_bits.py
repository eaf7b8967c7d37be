"""Fine-tunes a trained network for 8 bits: some more epochs in which it computes as its 8-bit file does."""

import hashlib
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import nn

from surrogate_nas._support.words import first_line
from surrogate_nas.errors import RunFolderError, TrainingError
from surrogate_nas.training.fake_quantisation import FakeQuantised
from surrogate_nas.training.final import FinalJob, Progress, Trained, train_final
from surrogate_nas.training.settings import FinalSettings

_RATE_SHARE = 0.1  # of the highest learning rate of the training before


@dataclass(frozen=True)
class EightBitJob:
    """Inputs of a fine-tuning.

    Attributes:
        before: The training that the network had; images, recipe, seed and processes are the same.
        network: Its result, in evaluation mode, on the CPU; it stays as it is.
        epochs: Passes over the training images.
        signed: Whether activations of the 8-bit file are signed.
        checkpoint: File of the checkpoint; kept at the end.
    """

    before: FinalJob
    network: nn.Module
    epochs: int
    signed: bool
    checkpoint: Path


def tune_for_8_bits(job: EightBitJob, report: Progress, stopped: Callable[[], bool]) -> Trained | None:
    """Fine-tunes a copy of a network; all processes that train together call it with the same job.

    Ranges of activations are taken from the calibration images at the beginning and after every epoch. Statistics of
    batch-norms stay what they are.

    Args:
        job: What to fine-tune.
        report: Called with the steps done and the steps in total.
        stopped: Called before every step.

    Returns:
        The network with its new weights, and the accuracy that it has as its 8-bit file computes; None where it was
        stopped; the checkpoint is then saved.

    Raises:
        TrainingError: If the network cannot be rewritten, the loss is not finite, or a checkpoint cannot be written.
        StoreError, RunFolderError: If an existing checkpoint cannot be continued.
    """
    before, network = job.before, deepcopy(job.network).eval()
    calibration = before.images.calibration(before.seed)
    if len(calibration) < 2:
        raise TrainingError("training for 8 bits needs two training images; set training.quantisation_epochs=0")
    try:
        rounded = FakeQuantised(network, calibration, signed=job.signed)
    except Exception as error:  # the exporter raises errors of any class
        raise TrainingError(
            f"the network cannot be trained for 8 bits: {first_line(error, 200)}; set training.quantisation_epochs=0"
        ) from error
    tuning = replace(
        before,
        network=rounded,
        recipe=replace(before.recipe, settings=_short(before.recipe.settings, job.epochs)),
        checkpoint=job.checkpoint,
        identity={**before.identity, "activations of 8 bits": "signed" if job.signed else "unsigned"}
        | {"weights": _digest(job.network)},
        record=lambda _epoch, _loss: rounded.observe(),
    )
    try:
        trained = train_final(tuning, report, stopped)
    except RunFolderError as error:  # its epochs have a setting of their own
        raise RunFolderError(str(error).replace("training.epochs", "training.quantisation_epochs")) from None
    if trained is None:
        return None
    network.load_state_dict(network.state_dict() | rounded.trained_weights())
    return replace(trained, network=network.eval())


def _short(settings: FinalSettings, epochs: int) -> FinalSettings:
    """Returns the recipe of a fine-tuning, at a small rate and without what only a whole training needs."""
    return settings.model_copy(
        update={
            "epochs": epochs,
            "learning_rate": _RATE_SHARE * settings.learning_rate,
            "warmup": 0.0,
            "layer_decay": 1.0,
            "head_share": 0.0,
            "ema": 0.0,
            "precision": "float32",
        }
    )


def _digest(network: nn.Module) -> str:
    hashed = hashlib.sha256()
    for name, tensor in sorted(network.state_dict().items()):
        hashed.update(name.encode())
        hashed.update(tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().tobytes())
    return hashed.hexdigest()[:16]
