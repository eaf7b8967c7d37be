"""Settings of a study: of every stage, and what ties them together."""

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from surrogate_nas._support.files import is_file_name
from surrogate_nas.costs.settings import BudgetSettings
from surrogate_nas.data.settings import DataSettings
from surrogate_nas.errors import SettingsError
from surrogate_nas.gradient.methods import METHODS
from surrogate_nas.gradient.settings import GradientSettings
from surrogate_nas.hardware.settings import HardwareSettings
from surrogate_nas.labels.settings import LabelSettings
from surrogate_nas.predictor.settings import PredictorSettings
from surrogate_nas.rivals.settings import RivalSettings
from surrogate_nas.search.sampler_table import SAMPLERS
from surrogate_nas.search.samplers.segments import SegmentSettings
from surrogate_nas.search.settings import LoopSettings, SearchSettings
from surrogate_nas.supernet.settings import SupernetSettings
from surrogate_nas.training.settings import TrainingSettings

_STRICT = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


_HUGE = 2**31
_LEAST_IMAGES = 2  # of each process that shares a supernet


def _refuse_impossible(place: str, values: Mapping[str, Any]) -> None:
    """Refuses numbers and letters that no setting has a use for, whatever its own bounds are."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            _refuse_impossible(f"{place}{name}.", value)
        elif isinstance(value, int | float) and value >= _HUGE:
            raise SettingsError(f"{place}{name}: numbers are below {_HUGE:,} (got {value:,})")
        elif isinstance(value, str) and "\0" in value:
            raise SettingsError(f"{place}{name}: a text has no letter NUL (got {value!r})")


class PoolSettings(BaseModel):
    """Settings of the part that is drawn from a space too large to enumerate; other spaces ignore them."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    draws: int = Field(
        20_000, ge=100, le=1_000_000, description="Number of architectures to draw uniformly, without repeats."
    )
    kept: int = Field(
        400, ge=1, le=100_000, description="Number of best predicted architectures to add under each bound."
    )
    steps: int = Field(
        6, ge=0, le=100, description="Number of further bounds on the first budget's cost to search under."
    )


class NetworkSettings(BaseModel):
    """Sizes of the network that is deployed; its costs are the study's costs."""

    model_config = _STRICT

    channels: Annotated[int, Field(ge=1, le=1024)] | None = Field(
        default=None, description="Channels of the first stage. Default: the space's own network."
    )
    cells: Annotated[int, Field(ge=1, le=64)] | None = Field(
        default=None, description="Cells per stage. Default: the space's own network."
    )
    image_size: Annotated[int, Field(ge=1, le=1024)] | None = Field(
        default=None, description="Side of the images in pixels. Default: the size of your images."
    )


class TruthSettings(BaseModel):
    """Accuracies of trained networks, used for nothing but the report."""

    model_config = _STRICT

    file: str | None = Field(
        default=None, description="CSV file with a column 'code' or 'arch' and accuracies in percent."
    )
    column: str | None = Field(default=None, description="Column of the accuracies. Needed if there are several.")


class ComputeSettings(BaseModel):
    """Settings of the device and the number of processes that do the work."""

    model_config = _STRICT

    device: str = Field(
        default="auto", description="Device that trains and evaluates supernets: auto, cpu, cuda[:n] or mps."
    )
    processes: Annotated[int, Field(ge=1, le=1024)] | None = Field(
        default=None, description="Number of worker processes. Default: one per core, or one on a GPU."
    )
    threads: Annotated[int, Field(ge=1, le=1024)] = Field(default=1, description="Threads of each training process.")
    processes_per_supernet: Annotated[int, Field(ge=1, le=1024)] = Field(
        default=1,
        description="Number of worker processes that share the training of one supernet: each takes a part of every"
        " batch, on a GPU of its own if GPUs train. Pays for large networks and images alone.",
    )
    cluster: str = Field(
        default="",
        pattern=r"^(auto|ray://[^\s/:]+:\d{1,5})?$",
        description="Ray cluster whose machines train and evaluate: auto for the one of this machine or of RAY_ADDRESS,"
        " ray://HOST:PORT for another; empty for this machine alone. Needs the extra `ray`.",
    )
    gpus: Annotated[float, Field(ge=0, le=64)] = Field(
        default=0.0, description="GPUs of each process on a cluster; 0.5 lets two processes share one."
    )


class StudySettings(BaseModel):
    """Everything a study may set."""

    model_config = _STRICT

    name: str = Field(description="Name of the study. Default: the name of its file.")
    seed: Annotated[int, Field(ge=0, lt=2**31)] = Field(default=0, description="Seed of every random draw.")
    space: str = Field(default="nasbench201", description="Search space by name, or the path of a .toml file.")
    data: DataSettings = Field(default_factory=DataSettings)
    network: NetworkSettings = Field(default_factory=NetworkSettings)
    supernet: SupernetSettings = Field(default_factory=SupernetSettings)
    gradient: GradientSettings = Field(default_factory=GradientSettings)
    labels: LabelSettings = Field(default_factory=LabelSettings)
    pool: PoolSettings = Field(default_factory=PoolSettings)
    predictor: PredictorSettings = Field(default_factory=PredictorSettings)
    hardware: HardwareSettings = Field(default_factory=HardwareSettings)
    budget: BudgetSettings = Field(default_factory=BudgetSettings)
    search: SearchSettings = Field(default_factory=SearchSettings)
    segments: SegmentSettings = Field(default_factory=SegmentSettings)
    loop: LoopSettings = Field(default_factory=LoopSettings)
    training: TrainingSettings = Field(default_factory=TrainingSettings)
    rivals: RivalSettings = Field(default_factory=RivalSettings)
    truth: TruthSettings = Field(default_factory=TruthSettings)
    compute: ComputeSettings = Field(default_factory=ComputeSettings)

    @model_validator(mode="after")
    def _rivals_are_trained_as_finalists_are(self) -> Self:
        if self.rivals.train and not self.loop.trainings:
            raise SettingsError(
                f"--rivals {self.rivals.train} (rivals.train) trains off-the-shelf networks as finalists are trained,"
                " and no finalists are: give --trainings N as well (loop.trainings)"
            )
        return self

    @model_validator(mode="after")
    def _batches_can_be_shared(self) -> Self:
        processes, images = self.compute.processes_per_supernet, self.supernet.batch_size
        if processes > 1 and images < _LEAST_IMAGES * processes:
            raise SettingsError(
                f"compute.processes_per_supernet = {processes} needs supernet.batch_size >= {_LEAST_IMAGES * processes}"
                f" (got {images}): each process normalises its own images, of which it needs {_LEAST_IMAGES} or more"
            )
        return self

    @model_validator(mode="after")
    def _sampler_has_a_distribution(self) -> Self:
        if not SAMPLERS[self.search.sampler].needs_distribution:
            return self
        asked = f"search.sampler = {self.search.sampler!r} needs a distribution that is learnt by gradients, and"
        if not self.gradient.learns:
            raise SettingsError(
                f"{asked} gradient.method = {self.gradient.method!r} learns none: set gradient.method to one of"
                f" {', '.join(name for name, row in METHODS.items() if row.distribution_sees != 'nothing')}, or choose"
                " another search.sampler"
            )
        if self.gradient.row.distribution_sees == "nothing":
            raise SettingsError(
                f"{asked} gradient.method = {self.gradient.method!r} leaves it uniform: choose another gradient.method,"
                " or search.sampler = 'random'"
            )
        return self

    @model_validator(mode="after")
    def _class_weights_are_in_every_loss(self) -> Self:
        if self.data.balance != "weights":
            return self
        others = {
            f"gradient.method = {self.gradient.method!r}": self.gradient.learns,
            f"supernet.split = {self.supernet.split!r}": self.supernet.rules.split.is_late,
        }
        for asked, is_other in others.items():
            if is_other:
                raise SettingsError(
                    f"data.balance = 'weights' does not go with {asked}, whose gradients know no weights of classes:"
                    " set data.balance to true, which draws classes equally often"
                )
        return self

    @model_validator(mode="after")
    def _values_are_possible(self) -> Self:
        _refuse_impossible("", self.model_dump())
        return self

    @field_validator("name")
    @classmethod
    def _name_is_a_file_name(cls, name: str) -> str:
        if not is_file_name(name):
            raise ValueError(
                "a name has letters, digits, '.', '_' and '-', begins with none of '.' and '-', does not end with '.',"
                " and is not a name that Windows reserves, such as con or aux"
            )
        return name


# What finished stages depend on: a run that was started with one value cannot continue with another.
_FIXED = (
    "name",
    "seed",
    "data",
    "network",
    "supernet",
    "gradient",
    "labels.validation_images",
    "labels.batch_size",  # statistics of batch norms are means over batches
    "labels.folds",
    "labels.judge",
    "pool.draws",
    "training",
    "compute.device",
    "compute.threads",
    "compute.processes_per_supernet",
)
# Not so, or what they lead to is compared instead of the setting itself.
_FREE = (
    "data.path",
    "data.memory_gb",
    "data.on_two_classes",
    "supernet.preset",
    "gradient.votes",
    "supernet.checkpoint_seconds",
    "training.checkpoint_seconds",
)


def is_fixed(key: str) -> bool:
    """Returns whether the setting of a dotted key must stay as it was when a run was started."""
    return key not in _FREE and any(f"{key}.".startswith(f"{fixed}.") for fixed in _FIXED)
