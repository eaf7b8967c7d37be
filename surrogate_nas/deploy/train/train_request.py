"""The request of a person who trains an architecture of a run."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Start = Literal["scratch", "supernet"]


@dataclass(frozen=True)
class TrainRequest:
    """A final training and its export.

    Attributes:
        run: The run folder of a study.
        budgets: Take the best architecture under these instead of the study's answer: key of a cost, such as
            ``latency``, to its bound.
        arch: Take this architecture.
        start: Whether weights begin at random or as the supernet has them.
        epochs: Passes over the images; the recipe's where None.
        batch_size: Images per step; likewise.
        learning_rate: The highest; likewise.
        seed: Of first weights, order of images and augmentation; the study's where None.
        int8: Whether to export an 8-bit model too.
        device: Where it is trained: auto, cpu, cuda[:n] or mps.
        threads: CPU threads; as many as the study trained on where None.
        resume: Whether to go on with a training, or to export a finished one again.
        overwrite: Whether to begin anew.
        command: The command line, for the model card.
        trust_program: Whether to run the program of the run's space, even if it was never run on this machine.
    """

    run: Path
    budgets: Mapping[str, str | None] = field(default_factory=dict)
    arch: str | None = None
    start: Start = "scratch"
    epochs: int | None = None
    batch_size: int | None = None
    learning_rate: float | None = None
    seed: int | None = None
    int8: bool = False
    device: str = "auto"
    threads: int | None = None
    resume: bool = False
    overwrite: bool = False
    command: str = ""
    trust_program: bool = False
