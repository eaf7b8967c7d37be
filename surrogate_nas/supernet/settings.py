"""Settings of the supernet stage."""

from collections.abc import Mapping
from itertools import chain
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from surrogate_nas.supernet.presets import PRESETS, with_preset
from surrogate_nas.supernet.rule import Inheritance, contradictions
from surrogate_nas.supernet.rules.momentum import MOMENTUM_GROUPS, MomentumRule
from surrogate_nas.supernet.rules.sampling import SAMPLERS, SamplingRule
from surrogate_nas.supernet.rules.schedules import SCHEDULES, ScheduleRule
from surrogate_nas.supernet.rules.sharing import REDUCTIONS, SHARINGS, SharingRule
from surrogate_nas.supernet.splits.split import SplitRule
from surrogate_nas.supernet.splits.table import SPLITS

if TYPE_CHECKING:
    SplitName = str
    SharingName = str
    SamplerName = str
    ScheduleName = str
    MomentumName = str
    ReductionName = str
else:  # a row of a table is a choice of its setting
    SplitName = Literal[tuple(SPLITS)]
    SharingName = Literal[tuple(SHARINGS)]
    SamplerName = Literal[tuple(SAMPLERS)]
    ScheduleName = Literal[tuple(SCHEDULES)]
    MomentumName = Literal[tuple(MOMENTUM_GROUPS)]
    ReductionName = Literal[tuple(REDUCTIONS)]
_DEFAULT_PRESET = "auto"


class Rules(NamedTuple):
    """The rules that settings choose by name."""

    split: SplitRule
    sharing: SharingRule
    sampling: SamplingRule
    schedule: ScheduleRule
    momentum: MomentumRule


class SupernetSettings(BaseModel):
    """How the space is split, how sub-supernets share weights, and how they are trained.

    The supernet may be narrower and shallower than the deployed network. ``docs/explanation/supernets.md`` explains the
    settings.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    preset: str = Field(
        default=_DEFAULT_PRESET,
        description="a paper's combination, of which other settings here replace parts: auto, spos, fairnas, fsnas,"
        " gmnas, efsnas, dynas",
    )
    split: SplitName = Field(
        default="nonlinear",
        description="how the space is split: by number of nonlinear functions (EFS-NAS), by the operation on one edge"
        " (FS-NAS), by agreement of gradients (GM-NAS), or not at all",
    )
    groups: Annotated[int, Field(ge=1, le=64)] = Field(
        default=2,
        description="nonlinear: number of subspaces; the bands of counts are chosen to be of nearly equal population",
    )
    bands: tuple[tuple[int, ...], ...] | None = Field(
        default=None, description="nonlinear: counts of each subspace, such as [[0, 1], [2, 3]], instead of groups"
    )
    split_edge: str | None = Field(
        default=None, description="edge: the decision whose choices are the subspaces, such as 1<-0; else the first"
    )
    split_rounds: Annotated[int, Field(ge=1, le=6)] = Field(
        default=2, description="gradient: how often every sub-supernet is split in two"
    )
    split_batches: Annotated[int, Field(ge=1)] = Field(
        default=100, description="gradient: mini-batches over which gradients are compared"
    )
    sharing: SharingName = Field(
        default="whole",
        description="whole: every subspace owns all its weights; depth: copies of cells chosen by the running count;"
        " one: a single set of weights, the split serves the sampler alone",
    )
    parent_share: Annotated[float, Field(ge=0, lt=1)] | None = Field(
        default=None,
        description="whole: share of the steps before the last split, which train what the sub-supernets begin from;"
        " 0 for none; else that of the paper: edge 2/3, gradient 4/9, otherwise 0",
    )
    inherit: Inheritance | None = Field(
        default=None,
        description="what sub-supernets take over at the last split: weights (with a schedule of their own), state"
        " (weights, momenta and schedule), nothing (gradient's final restart); else edge and nonlinear weights,"
        " gradient state",
    )
    thresholds: tuple[Annotated[float, Field(gt=0, lt=1)], ...] | None = Field(
        default=None, description="depth: shares of the largest running count after which the next copy is used"
    )
    shared_stages: Annotated[int, Field(ge=0)] | None = Field(
        default=None, description="depth: stages at the start that have one copy only"
    )
    sampler: SamplerName = Field(
        default="balanced",
        description="which subnets a step trains: balanced draws a subspace, then a subnet; per_group takes one of each"
        " subspace; uniform draws from the whole space; nonlinear prefers subnets with many nonlinear functions; fair"
        " takes every operation of every edge once (FairNAS)",
    )
    nonlinear_power: Annotated[float, Field(ge=0, le=4)] = Field(
        default=2.0,
        description="sampler = nonlinear: of four bands of counts of nonlinear functions, from the fewest, the k-th is"
        " drawn in proportion to k to this power; a sub-supernet draws what of it is its own",
    )
    schedule: ScheduleName = Field(
        default="cosine",
        description="learning rate over training: half a cosine, or a decay that is faster for small subnets (DYNAS)",
    )
    gamma_max: Annotated[float, Field(ge=1)] = Field(
        default=4.0, description="complexity: exponent of the smallest subnet; that of the largest is its inverse"
    )
    momentum_groups: MomentumName = Field(
        default="joint",
        description="momenta of all subnets together, or by the operation on one edge that the seed draws (DYNAS)",
    )
    channels: Annotated[int, Field(ge=1, le=1024)] = Field(default=8, description="channels of the first stage")
    cells: Annotated[int, Field(ge=1, le=64)] = Field(default=1, description="cells per stage")
    reductions: ReductionName = Field(
        default="light",
        description="blocks between stages of cells: of one convolution, which leaves more of the work to the cells, or"
        " those of the deployed network, of two; without effect in spaces that have none",
    )
    steps: Annotated[int, Field(ge=1)] = Field(
        default=20_000, description="training steps of each sub-supernet, those before it was split off included"
    )
    batch_size: Annotated[int, Field(ge=2)] = Field(default=64, description="images per step")
    learning_rate: Annotated[float, Field(gt=0)] = Field(default=0.1, description="at the first step")
    final_learning_rate: Annotated[float, Field(ge=0)] = Field(
        default=0.0, description="cosine: approached on half a cosine, which the step after the last one would reach"
    )
    momentum: Annotated[float, Field(ge=0, lt=1)] = Field(default=0.9, description="Nesterov momentum")
    weight_decay: Annotated[float, Field(ge=0)] = Field(default=5e-4, description="of the weights that a step uses")
    clip_norm: Annotated[float, Field(ge=0)] = Field(
        default=5.0, description="largest gradient norm of an optimizer step; 0 leaves gradients as they are"
    )
    replicas: Annotated[int, Field(ge=1, le=64)] = Field(
        default=1,
        description="how many times everything is trained, each time from other weights, images and draws; a label is"
        " the mean over them",
    )
    weight_average: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0.0,
        description="share of a sub-supernet's last steps whose weights are averaged for evaluation; 0 for the last"
        " weights alone",
    )
    checkpoint_seconds: Annotated[float, Field(gt=0)] = Field(default=30.0, description="time between checkpoints")

    @property
    def rules(self) -> Rules:
        """The rules by these names."""
        return Rules(
            SPLITS[self.split],
            SHARINGS[self.sharing],
            SAMPLERS[self.sampler],
            SCHEDULES[self.schedule],
            MOMENTUM_GROUPS[self.momentum_groups],
        )

    @property
    def share_before_split(self) -> float:
        """Share of the steps before the last split; 0 where there are no sub-supernets to split off."""
        if not self.rules.sharing.owns_weights:
            return 0.0
        return self.rules.split.parent_share if self.parent_share is None else self.parent_share

    @property
    def inheritance(self) -> Inheritance:
        """What sub-supernets take over at the last split."""
        return self.inherit or self.rules.split.inherits

    @model_validator(mode="before")
    @classmethod
    def _preset(cls, given: Any) -> Any:  # noqa: ANN401 - what pydantic was given, which need not be a mapping
        if not isinstance(given, Mapping) or given.get("preset", _DEFAULT_PRESET) not in PRESETS:
            return given  # what is wrong with it is said of the field
        return with_preset(given, _DEFAULT_PRESET)

    @field_validator("preset")
    @classmethod
    def _preset_is_known(cls, name: str) -> str:
        if name not in PRESETS:
            raise ValueError(f"a preset is one of {', '.join(PRESETS)}")
        return name

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.final_learning_rate > self.learning_rate:
            raise ValueError("final_learning_rate must not be above learning_rate")
        for reason in chain(
            contradictions(SHARINGS, self.sharing, self),
            contradictions(SPLITS, self.split, self),
            contradictions(SAMPLERS, self.sampler, self),
            contradictions(SCHEDULES, self.schedule, self),
            contradictions(MOMENTUM_GROUPS, self.momentum_groups, self),
        ):
            raise ValueError(reason)
        return self
