"""Settings of a study: of every stage, and what ties them together."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

from surrogate_nas._support.files import is_file_name
from surrogate_nas.costs.settings import BudgetSettings
from surrogate_nas.data.settings import DataSettings
from surrogate_nas.hardware.settings import HardwareSettings
from surrogate_nas.labels.settings import LabelSettings
from surrogate_nas.predictor.settings import PredictorSettings
from surrogate_nas.search.samplers.segments import SegmentSettings
from surrogate_nas.search.settings import LoopSettings, SearchSettings
from surrogate_nas.supernet.settings import SupernetSettings
from surrogate_nas.training.settings import TrainingSettings

_STRICT = ConfigDict(extra="forbid", frozen=True)


class PoolSettings(BaseModel):
    """Settings of the part that is drawn from a space too large to enumerate; other spaces ignore them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    draws: int = Field(20_000, ge=100, le=1_000_000, description="architectures drawn uniformly, without repeats")
    kept: int = Field(400, ge=1, le=100_000, description="best predicted architectures added under each bound")
    steps: int = Field(6, ge=0, le=100, description="bounds along the first budget's cost under which is searched too")


class NetworkSettings(BaseModel):
    """Sizes of the network that is deployed; its costs are the study's costs."""

    model_config = _STRICT

    channels: Annotated[int, Field(ge=1, le=1024)] | None = Field(
        default=None, description="channels of the first stage; where not given, those of the space's own network"
    )
    cells: Annotated[int, Field(ge=1, le=64)] | None = Field(
        default=None, description="cells per stage; where not given, those of the space's own network"
    )
    image_size: Annotated[int, Field(ge=1, le=1024)] | None = Field(
        default=None, description="side of the images in pixels; where not given, that of the images as they come"
    )


class TruthSettings(BaseModel):
    """Accuracies of trained networks, used for nothing but the report."""

    model_config = _STRICT

    file: str | None = Field(default=None, description="CSV with a column 'code' or 'arch' and accuracies in percent")
    column: str | None = Field(default=None, description="which column; needed where there are several")


class ComputeSettings(BaseModel):
    """Settings of the device and the number of processes that do the work."""

    model_config = _STRICT

    device: str = Field(
        default="auto", description="where supernets are trained and evaluated: auto, cpu, cuda[:n] or mps"
    )
    processes: Annotated[int, Field(ge=1, le=1024)] | None = Field(
        default=None, description="worker processes; where not given, one per core, and one on a GPU"
    )
    threads: Annotated[int, Field(ge=1, le=1024)] = Field(default=1, description="threads of each training process")


class StudySettings(BaseModel):
    """Everything a study may set."""

    model_config = _STRICT

    name: str = Field(description="name of the study; where not given, that of its file")
    seed: Annotated[int, Field(ge=0, lt=2**31)] = Field(default=0, description="every random draw comes from it")
    space: str = Field(default="nasbench201", description="search space by name, or path of a .toml file")
    data: DataSettings = Field(default_factory=DataSettings)
    network: NetworkSettings = Field(default_factory=NetworkSettings)
    supernet: SupernetSettings = Field(default_factory=SupernetSettings)
    labels: LabelSettings = Field(default_factory=LabelSettings)
    pool: PoolSettings = Field(default_factory=PoolSettings)
    predictor: PredictorSettings = Field(default_factory=PredictorSettings)
    hardware: HardwareSettings = Field(default_factory=HardwareSettings)
    budget: BudgetSettings = Field(default_factory=BudgetSettings)
    search: SearchSettings = Field(default_factory=SearchSettings)
    segments: SegmentSettings = Field(default_factory=SegmentSettings)
    loop: LoopSettings = Field(default_factory=LoopSettings)
    training: TrainingSettings = Field(default_factory=TrainingSettings)
    truth: TruthSettings = Field(default_factory=TruthSettings)
    compute: ComputeSettings = Field(default_factory=ComputeSettings)

    @field_validator("name")
    @classmethod
    def _name_is_a_file_name(cls, name: str) -> str:
        if not is_file_name(name):
            raise ValueError(
                "a name is made of letters, digits, '.', '_' and '-', begins with a letter or digit, does not end with"
                " '.', and is no name that Windows reserves, such as con or aux"
            )
        return name


# What finished stages depend on: a run that was started with one value cannot go on with another.
_FIXED = (
    "name",
    "seed",
    "data",
    "network",
    "supernet",
    "labels.validation_images",
    "labels.batch_size",
    "pool.draws",
    "training",
    "compute.device",
    "compute.threads",
)
# Not so, or what they lead to is compared instead of the setting itself.
_FREE = (
    "data.path",
    "data.memory_gb",
    "supernet.preset",
    "supernet.checkpoint_seconds",
    "training.checkpoint_seconds",
)


def is_fixed(key: str) -> bool:
    """Returns whether the setting of a dotted key must stay as it was when a run was started."""
    return key not in _FREE and any(f"{key}.".startswith(f"{fixed}.") for fixed in _FIXED)
