"""The request of a person who trains an architecture of a run, the same on the command line and in Python."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Integral, Real
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from surrogate_nas._support.words import choose_from
from surrogate_nas.errors import SettingsError
from surrogate_nas.export.runtimes.table import asked_runtimes
from surrogate_nas.hardware.settings import HardwareSettings
from surrogate_nas.rivals.table import RIVALS
from surrogate_nas.runs.study_file import validated
from surrogate_nas.runs.tracking import check_tracker
from surrogate_nas.training.settings import FinalSettings

Start = Literal["scratch", "supernet", "pretrained"]
_HIGHEST_RATE = 100.0
_OPTIONS = ("epochs", "batch_size", "learning_rate")
_SWITCHES = ("int8", "resume", "overwrite", "trust_program")
_BOUNDS = {
    "epochs": (1, 10_000),
    "batch_size": (1, 65_536),
    "seed": (0, 2**31 - 1),
    "threads": (1, 1024),
    "rivals": (0, 1000),
}


class TrainSettings(BaseModel):
    """Settings of the command, by the section that ``--set`` names."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    training: FinalSettings = Field(default_factory=FinalSettings)


@dataclass(frozen=True)
class TrainRequest:
    """A final training and its export.

    Attributes:
        run: The run folder of a study.
        budgets: Take the best architecture under these instead of the study's answer: key of a cost, such as
            ``latency``, to its bound.
        arch: Take this architecture.
        start: First weights: random, the supernet's, or a part of the pretrained ones that the study began with. Where
            None, the supernet's if the study began with pretrained weights, otherwise random.
        epochs: Passes over the images; the recipe's where None.
        batch_size: Images per step; likewise.
        learning_rate: The highest; likewise.
        seed: Of first weights, order of images and augmentation; the study's where None.
        int8: Whether to export an 8-bit model too.
        device: Where it is trained: auto, cpu, cuda[:n] or mps.
        threads: CPU threads; where None, one per processor that this process may use, or one for images under 16
            pixels.
        resume: Whether to continue a training, or to export a finished one again.
        overwrite: Whether to start over.
        command: The command line, for the model card.
        trust_program: Whether to run the program of the run's space, even if it was never run on this machine.
        rivals: Number of off-the-shelf networks to train beside it, the best that fit the study's budgets.
        rival: Names of such networks, in addition to those.
        track: Where settings, the loss curve and results are sent: tensorboard, mlflow, or nowhere.
        settings: Values that take the place of the recipe's, such as ``{"training.mixup": 0.2}``.
        export: Formats to export, with commas between them; ONNX and ``torch.export`` need no asking.
    """

    run: Path
    budgets: Mapping[str, str | None] = field(default_factory=dict)
    arch: str | None = None
    start: Start | None = None
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
    track: str | None = None
    rivals: int = 0
    rival: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    export: str = ""

    def __post_init__(self) -> None:
        """Checks what can be checked without the run.

        Raises:
            SettingsError: If a value is impossible, or two of them exclude each other.
        """
        if self.start is not None and self.start not in get_args(Start):
            raise SettingsError(f"--from must be one of {', '.join(get_args(Start))} (got {self.start!r})")
        wrong = [name for name in self.rival if name not in RIVALS]
        if wrong:
            raise SettingsError(f"--rival {wrong[0]} is no known network; {choose_from(RIVALS, wrong[0])}")
        if self.resume and self.overwrite:
            raise SettingsError("--resume and --overwrite exclude each other; use one of them")
        for option in (*_BOUNDS, "learning_rate"):
            value, kind_of = getattr(self, option), Integral if option in _BOUNDS else Real
            if value is not None and (isinstance(value, bool) or not isinstance(value, kind_of)):
                words, kind = option.replace("_", "-"), "a whole number" if option in _BOUNDS else "a number"
                raise SettingsError(f"--{words} must be {kind} (got {value!r:.40})")
        for option in _SWITCHES:
            if not isinstance(getattr(self, option), bool):
                words = option.replace("_", "-")
                raise SettingsError(f"--{words} must be True or False (got {getattr(self, option)!r:.40})")
        if self.learning_rate is not None and not 0 < self.learning_rate <= _HIGHEST_RATE:
            raise SettingsError(
                f"--learning-rate must be above 0 and at most {_HIGHEST_RATE:g} (got {self.learning_rate})"
            )
        check_tracker(self.track)
        for option, (least, most) in _BOUNDS.items():
            value = getattr(self, option)
            if value is not None and not least <= value <= most:
                words = option.replace("_", "-")
                raise SettingsError(f"--{words} must be from {least:,} to {most:,} (got {value:,})")
        self.asked()
        asked_runtimes(self.export)

    @property
    def runtimes(self) -> tuple[str, ...]:
        """Runtimes to export for, beside ONNX Runtime and torch."""
        return asked_runtimes(self.export)

    def makes_int8(self, hardware: HardwareSettings) -> bool:
        """Returns whether 8-bit files are written: where the request, or the study, asks for them."""
        return self.int8 or hardware.precision == "int8"

    def asked(self) -> FinalSettings:
        """Returns the values that take the place of the recipe's; all others are not set.

        Raises:
            SettingsError: If a setting is unknown or impossible, or was given by two options.
        """
        asked = validated(TrainSettings, {}, self.settings, "on the command line").training
        kinds = {"learning_rate": float}
        options = {
            name: kinds.get(name, int)(getattr(self, name)) for name in _OPTIONS if getattr(self, name) is not None
        }
        if twice := sorted(options.keys() & asked.model_fields_set):
            option = f"--{twice[0].replace('_', '-')}"
            raise SettingsError(f"{option} and --set training.{twice[0]} exclude each other; use one of them")
        return asked.model_copy(update=options)
