"""Settings of the supernet stage."""

from collections.abc import Mapping
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from surrogate_nas._support.stored.settings_identity import settings_by_name
from surrogate_nas.supernet.presets import AUTO, PRESETS, of_no_use, unsplit, with_preset
from surrogate_nas.supernet.rule import Inheritance
from surrogate_nas.supernet.rules.label_scale import SCALES, ScaleRule
from surrogate_nas.supernet.rules.momentum import MOMENTUM_GROUPS, MomentumRule
from surrogate_nas.supernet.rules.sampling import SAMPLERS, SamplingRule
from surrogate_nas.supernet.rules.schedules import SCHEDULES, ScheduleRule
from surrogate_nas.supernet.rules.sharing import REDUCTIONS, SHARINGS, WEIGHTS, SharingRule
from surrogate_nas.supernet.splits.split import SplitRule
from surrogate_nas.supernet.splits.table import SPLITS

if TYPE_CHECKING:
    SplitName = str
    SharingName = str
    SamplerName = str
    ScheduleName = str
    MomentumName = str
    ReductionName = str
    WeightsName = str
    ScaleName = str
else:  # every row of a table is a choice of its setting
    SplitName = Literal[tuple(SPLITS)]
    SharingName = Literal[tuple(SHARINGS)]
    SamplerName = Literal[tuple(SAMPLERS)]
    ScheduleName = Literal[tuple(SCHEDULES)]
    MomentumName = Literal[tuple(MOMENTUM_GROUPS)]
    ReductionName = Literal[tuple(REDUCTIONS)]
    WeightsName = Literal[tuple(WEIGHTS)]
    ScaleName = Literal[tuple(SCALES)]
_SINCE_0_1_0 = ("weights", "sandwich_random", "distillation", "largest_share", "in_band", "own_share", "parent_keeps")
_OF_NO_WEIGHTS = ("checkpoint_seconds", "preset", "replicas", "weights_from")
_OF_LABELS = ("scale", "scale_architectures", "label_both")


class Rules(NamedTuple):
    """The rules that settings choose by name."""

    split: SplitRule
    sharing: SharingRule
    sampling: SamplingRule
    schedule: ScheduleRule
    momentum: MomentumRule
    scale: ScaleRule


class SupernetSettings(BaseModel):
    """Settings of the supernet stage: split of the space, sharing of weights, and training.

    The supernet may be narrower and shallower than the deployed network. ``docs/explanation/supernets.md`` explains the
    settings.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    preset: str = Field(
        default=AUTO,
        description="Combination of a paper: auto, soft, oneshot, spos, fairnas, fsnas, gmnas, efsnas or dynas."
        " Other settings here replace parts of it.",
    )
    split: SplitName = Field(
        default="nonlinear",
        description="Rule that splits the space: by number of nonlinear functions (EFS-NAS), by the operation"
        " on one edge (FS-NAS), by agreement of gradients (GM-NAS), or not at all.",
    )
    groups: Annotated[int, Field(ge=1, le=64)] = Field(
        default=2,
        description="Number of subspaces for split = nonlinear. The bands of counts get nearly equal populations.",
    )
    bands: tuple[tuple[int, ...], ...] | None = Field(
        default=None,
        description="Counts of each subspace for split = nonlinear, such as [[0, 1], [2, 3]]; replaces groups.",
    )
    split_edge: str | None = Field(
        default=None,
        description="Decision whose choices are the subspaces, for split = edge, such as 1<-0; the first if not set.",
    )
    split_rounds: Annotated[int, Field(ge=1, le=6)] = Field(
        default=2, description="Number of times that every sub-supernet is split in two, for split = gradient."
    )
    split_batches: Annotated[int, Field(ge=1)] = Field(
        default=100, description="Mini-batches over which gradients are compared, for split = gradient."
    )
    sharing: SharingName = Field(
        default="whole",
        description="Sharing of weights. whole: every subspace owns all its weights. depth: copies of cells"
        " are chosen by the running count. one: a single set of weights, and the split serves only the"
        " sampler.",
    )
    weights: WeightsName = Field(
        default="own",
        description="Weights of the blocks that one layer of a chain chooses from. own: each block has its own."
        " nested: blocks that differ in kernel and expansion alone are parts of one block (its first channels, the"
        " centre of its kernel), as in Once-for-All. Narrower stages are parts of the widest with both.",
    )
    weights_from: str | None = Field(
        default=None,
        description="Pretrained weights that supernets begin with, for weights = nested: a .safetensors file, a .pth"
        " file of tensors alone, torchvision:NAME or timm:NAME. The space's largest architecture is their network. If"
        " not set: new weights.",
    )
    parent_share: Annotated[float, Field(ge=0, lt=1)] | None = Field(
        default=None,
        description="Share of the steps before the last split, for sharing = whole; these steps train the"
        " parents of the sub-supernets, and 0 means no parents. If not set: 2/3 for edge, 4/9 for gradient"
        " (as in the papers), otherwise 0.",
    )
    inherit: Inheritance | None = Field(
        default=None,
        description="State that sub-supernets take over at the last split: weights (with a schedule of their"
        " own), state (weights, momenta and schedule) or nothing (gradient's final restart). If not set:"
        " weights for edge and nonlinear, state for gradient.",
    )
    own_share: Annotated[float, Field(ge=0, le=1)] = Field(
        default=1.0,
        description="Share of a sub-supernet's steps that is drawn uniformly from its own subspace, for sharing ="
        " whole; the sampler draws the others from the whole space. 1 is the hard split of the papers: the sampler"
        " draws every step from the own subspace.",
    )
    parent_keeps: Annotated[int, Field(ge=0, le=63)] = Field(
        default=0,
        description="Number of subspaces, the last ones, that keep their parent's weights, so that no step is spent on"
        " them after the split. The last bands of split = nonlinear have the most nonlinear functions.",
    )
    scale: ScaleName = Field(
        default="none",
        description="Shifts that put labels of sub-supernets on the scale of their parent, or without a parent on the"
        " mean of all sub-supernets: none, one a subspace, or one for each count of nonlinear functions in it (at most"
        " four bands of counts).",
    )
    scale_architectures: Annotated[int, Field(ge=1, le=1000)] = Field(
        default=10, description="Architectures that both sides label for every shift."
    )
    label_both: bool = Field(
        default=False,
        description="Whether a label is the mean of the sub-supernet's, shifted, and its parent's. It costs a second"
        " evaluation of every architecture whose subspace does not keep its parent's weights.",
    )
    thresholds: tuple[Annotated[float, Field(gt=0, lt=1)], ...] | None = Field(
        default=None,
        description="Shares of the largest running count after which the next copy is used, for sharing = depth.",
    )
    shared_stages: Annotated[int, Field(ge=0)] | None = Field(
        default=None, description="Stages at the start that have only one copy, for sharing = depth."
    )
    sampler: SamplerName = Field(
        default="balanced",
        description="Rule that draws the subnets of a step. balanced: a subspace, then a subnet. per_group:"
        " one subnet of each subspace. uniform: from the whole space. nonlinear: prefers subnets with many"
        " nonlinear functions. fair: every operation of every edge once (FairNAS). sandwich: the largest, the"
        " smallest and sandwich_random others (US-Nets).",
    )
    sandwich_random: Annotated[int, Field(ge=0, le=30)] = Field(
        default=2,
        description="Subnets of a step besides the largest and the smallest, drawn uniformly, for sampler = sandwich.",
    )
    distillation: Annotated[float, Field(ge=0, le=1)] | None = Field(
        default=None,
        description="Share of the scores of the step's largest subnet in what its other subnets learn; the rest are the"
        " labels. Needs a sampler with several subnets a step. If not set: 1 for sampler = sandwich, otherwise 0.",
    )
    in_band: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0.0,
        description="Share of the subnets that are drawn just below the budgets, see labels.band, in place of the"
        " sampler's; the largest and the smallest of sandwich stay. More pays off in large spaces, of which few"
        " architectures are near a budget.",
    )
    nonlinear_power: Annotated[float, Field(ge=0, le=4)] = Field(
        default=2.0,
        description="Power for sampler = nonlinear: of four bands of counts of nonlinear functions, counted"
        " from the fewest, the k-th is drawn in proportion to k to this power. A sub-supernet draws the"
        " part of a band that is its own.",
    )
    largest_share: Annotated[float, Field(ge=0, lt=1)] = Field(
        default=0.0,
        description="Share of the steps of a supernet with new weights in which its largest subnet alone is trained."
        " Then the channels inside its blocks are sorted by importance, so that narrower blocks begin with the most"
        " important ones, and all subnets are trained. Needs blocks that are parts of others: weights = nested, or"
        " widths to choose from.",
    )
    schedule: ScheduleName = Field(
        default="cosine",
        description="Learning rate over training: half a cosine, or a decay that is faster for small subnets (DYNAS).",
    )
    gamma_max: Annotated[float, Field(ge=1)] = Field(
        default=4.0,
        description="Exponent of the smallest subnet for schedule = complexity; the exponent of the largest"
        " is its inverse.",
    )
    momentum_groups: MomentumName = Field(
        default="joint",
        description="Momenta: one set for all subnets, or one for each operation on an edge that the seed"
        " draws (DYNAS).",
    )
    channels: Annotated[int, Field(ge=1, le=1024)] = Field(default=8, description="Channels of the first stage.")
    cells: Annotated[int, Field(ge=1, le=64)] = Field(default=1, description="Cells per stage.")
    reductions: ReductionName = Field(
        default="light",
        description="Blocks between stages of cells. light: one convolution, which leaves more of the work to"
        " the cells. residual: the deployed network's blocks, of two convolutions. No effect in spaces"
        " without such blocks.",
    )
    steps: Annotated[int, Field(ge=1)] = Field(
        default=20_000, description="Training steps of each sub-supernet, including the steps before it was split off."
    )
    batch_size: Annotated[int, Field(ge=2)] = Field(default=64, description="Images per step.")
    learning_rate: Annotated[float, Field(gt=0)] = Field(default=0.1, description="Learning rate at the first step.")
    final_learning_rate: Annotated[float, Field(ge=0)] | None = Field(
        default=None,
        description="Learning rate at the end, for schedule = cosine; the step after the last one would reach it. If"
        " not set: half of learning_rate where own_share is below 1, otherwise 0.",
    )
    momentum: Annotated[float, Field(ge=0, lt=1)] = Field(default=0.9, description="Nesterov momentum.")
    weight_decay: Annotated[float, Field(ge=0)] = Field(
        default=5e-4, description="Decay of the weights that a step uses."
    )
    clip_norm: Annotated[float, Field(ge=0)] = Field(
        default=5.0, description="Largest gradient norm of an optimizer step; 0 leaves gradients unchanged."
    )
    replicas: Annotated[int, Field(ge=1, le=64)] = Field(
        default=1,
        description="Number of times that everything is trained, each time with other weights, images and"
        " draws. A label is the mean over them.",
    )
    weight_average: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0.0,
        description="Share of a sub-supernet's last steps whose weights are averaged for evaluation; 0 uses"
        " the last weights.",
    )
    checkpoint_seconds: Annotated[float, Field(gt=0)] = Field(default=30.0, description="Seconds between checkpoints.")

    @property
    def rules(self) -> Rules:
        """Rules by these names."""
        return Rules(
            SPLITS[self.split],
            SHARINGS[self.sharing],
            SAMPLERS[self.sampler],
            SCHEDULES[self.schedule],
            MOMENTUM_GROUPS[self.momentum_groups],
            SCALES[self.scale],
        )

    def identity(self) -> dict[str, Any]:
        """Returns the settings that trained weights follow from.

        Settings of a preset are there one by one, and replicas are more trainings of the same kind. Of pretrained
        weights the numbers count, not where they came from.
        """
        rate = {"final_learning_rate": self.last_rate}
        return settings_by_name(self, (*_OF_NO_WEIGHTS, *_OF_LABELS), _SINCE_0_1_0) | rate

    @property
    def last_rate(self) -> float:
        """Learning rate at the end. What a sub-supernet does in a few last steps would be nothing at a rate near 0."""
        if self.final_learning_rate is not None:
            return self.final_learning_rate
        return self.learning_rate / 2 if self.own_share < 1 else 0.0

    @property
    def share_before_split(self) -> float:
        """Share of the steps before the last split; 0 where there are no sub-supernets to split off."""
        if not self.rules.sharing.owns_weights:
            return 0.0
        return self.rules.split.parent_share if self.parent_share is None else self.parent_share

    @property
    def distillation_share(self) -> float:
        """Share of the largest subnet's scores in what the other subnets of a step learn."""
        return float(self.rules.sampling.distils) if self.distillation is None else self.distillation

    @property
    def inheritance(self) -> Inheritance:
        """State that sub-supernets take over at the last split."""
        return self.inherit or self.rules.split.inherits

    def without_split(self) -> Self:
        """Returns the settings of one supernet that is trained by the same rules and sizes."""
        return type(self).model_validate(unsplit(self.model_dump()))

    @model_validator(mode="before")
    @classmethod
    def _preset(cls, given: Any) -> Any:  # noqa: ANN401 - the input of pydantic, which need not be a mapping
        if not isinstance(given, Mapping) or str(given.get("preset", AUTO)) not in PRESETS:
            return given  # the field's own check reports the error
        # A run folder's settings are complete: what is not set there was not set, whatever its preset is today.
        if _complete().issubset(given):
            return given
        for reason in without_effect(given).values():
            raise ValueError(reason)
        return with_preset(given, AUTO)

    @field_validator("preset")
    @classmethod
    def _preset_is_known(cls, name: str) -> str:
        if name not in PRESETS:
            raise ValueError(f"a preset is one of {', '.join(PRESETS)}")
        return name

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.last_rate > self.learning_rate:
            raise ValueError("final_learning_rate must not be above learning_rate")
        if self.weights_from is not None and not WEIGHTS[self.weights]:
            raise ValueError("weights_from needs weights = 'nested': every block begins with a part of the largest's")
        if self.largest_share and self.weights_from is not None:
            raise ValueError("largest_share is for new weights, and weights_from has trained ones: set it to 0")
        if self.largest_share + self.weight_average > 1:
            raise ValueError("largest_share and weight_average must not overlap: together they are 1 at most")
        split, sharing, *others = self.rules
        for reason in chain.from_iterable(rule.refusals(self) for rule in (sharing, split, *others)):
            raise ValueError(reason)
        return self


def without_effect(given: Mapping[str, Any]) -> dict[str, str]:
    """Returns why some of the given settings have no effect together with the others, by name; none where unknown."""
    if str(given.get("preset", AUTO)) not in PRESETS:
        return {}
    return of_no_use(given, {name: field.default for name, field in SupernetSettings.model_fields.items()})


@cache
def _complete() -> frozenset[str]:
    """Returns the settings that every resolved study has had since version 0.1.0."""
    fields = SupernetSettings.model_fields
    later = {*_SINCE_0_1_0, *_OF_LABELS}
    return frozenset(name for name, field in fields.items() if field.default is not None and name not in later)
