"""Settings of searches by gradients."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from surrogate_nas.gradient.methods import METHODS, DistributionSees, Method, WeightsSee
from surrogate_nas.supernet.rule import Inheritance
from surrogate_nas.supernet.settings import SplitName, SupernetSettings
from surrogate_nas.supernet.splits.table import SPLITS

NO_METHOD = "none"
_NO_SPLIT: SplitName = "none"
if TYPE_CHECKING:
    MethodName = str
else:  # every row of the table is a choice of the setting
    MethodName = Literal[(NO_METHOD, *METHODS)]


# What the trainings take from the supernet's settings, and what is set here.
_OF_SUPERNET = (
    "channels",
    "cells",
    "reductions",
    "weights",
    "batch_size",
    "learning_rate",
    "final_learning_rate",
    "momentum",
    "weight_decay",
    "clip_norm",
    "checkpoint_seconds",
)
_OF_RULES = ("groups", "split_edge", "split_rounds", "split_batches")
_OF_SPLIT = (*_OF_RULES, "parent_share", "inherit")


class GradientSettings(BaseModel):
    """Settings of a distribution over architectures that is learnt by gradients, on shared weights of its own.

    Sizes, batches and the learning rate of the weights are the supernet's. The split is its own: parents train weights
    while their distribution rests, and every subspace learns one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    method: MethodName = Field(
        default=NO_METHOD,
        description="Search by gradients: darts, darts2 (second order), pcdarts, snas, gdas, setn, enas, rsps or"
        " proxyless. The settings below replace parts of it. none learns no distribution.",
    )
    steps: Annotated[int, Field(ge=1)] = Field(
        default=5000,
        description="Training steps of the weights; of each subspace, with the steps before it was split off.",
    )
    split: SplitName = Field(
        default=_NO_SPLIT,
        description="Rule that splits the space into subspaces, each with a distribution of its own: none, by the"
        " operation on one edge (edge), by agreement of gradients (gradient), or by number of nonlinear functions"
        " (nonlinear), for methods that draw paths. The derived architecture with the least validation loss counts.",
    )
    groups: Annotated[int, Field(ge=1, le=64)] | None = Field(
        default=None, description="Number of subspaces for split = nonlinear. If not set: 2."
    )
    split_edge: str | None = Field(
        default=None,
        description="Decision whose choices are the subspaces, for split = edge, such as 1<-0; the first if not set.",
    )
    split_rounds: Annotated[int, Field(ge=1, le=6)] | None = Field(
        default=None,
        description="Number of times that every subspace is split in two, for split = gradient. If not set: 2.",
    )
    split_batches: Annotated[int, Field(ge=1)] | None = Field(
        default=None,
        description="Mini-batches over which gradients are compared, for split = gradient. If not set: 100.",
    )
    parent_share: Annotated[float, Field(ge=0, lt=1)] | None = Field(
        default=None,
        description="Share of the steps before the last split, in which weights train and distributions rest; 0 trains"
        " every subspace from the beginning. If not set: 2/3 for edge, 4/9 for gradient, 0 for nonlinear.",
    )
    inherit: Inheritance | None = Field(
        default=None,
        description="What a subspace takes over at the last split: weights (with a learning rate that begins again),"
        " state (weights, momenta and learning rate) or nothing. If not set: weights for edge and nonlinear, state for"
        " gradient.",
    )
    weights_see: WeightsSee | None = Field(
        default=None,
        description="Subnets that a step trains: mixture (all, by probability), gumbel (all, by drawn weights), path"
        " (one that is drawn from the distribution) or uniform (one that is drawn uniformly). If not set: as in the"
        " method.",
    )
    distribution_sees: DistributionSees | None = Field(
        default=None,
        description="Loss that the distribution learns from: of a mixture, of a gumbel mixture, of one drawn path"
        " (hard or gate), or the reward of drawn paths. If not set: as in the method.",
    )
    order: Literal[1, 2] | None = Field(
        default=None,
        description="Order of the distribution's gradient; 2 takes into account that weights follow, and takes about"
        " three times as long. If not set: as in the method.",
    )
    begins: Annotated[float, Field(ge=0, lt=1)] | None = Field(
        default=None,
        description="Share of the steps, after the last split, in which the distribution still rests. If not set: as in"
        " the method.",
    )
    every: Annotated[int, Field(ge=1)] | None = Field(
        default=None,
        description="Steps of the weights for each step of the distribution. If not set: as in the method.",
    )
    partial_channels: Annotated[int, Field(ge=1, le=64)] | None = Field(
        default=None,
        description="Operations of a cell see one in so many channels, and the others pass by. If not set: 4 for"
        " pcdarts, otherwise 1.",
    )
    rate: Annotated[float, Field(gt=0)] | None = Field(
        default=None,
        description="Learning rate of the distribution. If not set: 5 divided by its steps, at most 0.01, so that"
        " probabilities can become certain however few steps there are.",
    )
    entropy: Annotated[float, Field(ge=0)] = Field(
        default=1e-4, description="Weight of the distribution's entropy in the reward, for distribution_sees = reward."
    )
    cost_weight: Annotated[float, Field(ge=0)] = Field(
        default=0.0,
        description="Weight of the expected cost in the distribution's loss, as a share of the first budget. Needs a"
        " cost that is a sum over decisions, as in chains.",
    )
    votes: bool = Field(
        default=False,
        description="Whether the distribution votes in the predictor. On NAS-Bench-201 this made the predictor's order"
        " worse.",
    )
    candidates: Annotated[int, Field(ge=1, le=10_000)] = Field(
        default=100,
        description="Architectures that are compared at the end, for methods that do not take the likeliest.",
    )

    @property
    def row(self) -> Method:
        """The method, with what other settings replace of it.

        Raises:
            KeyError: If there is none.
        """
        method = METHODS[self.method]
        parts = ("weights_see", "distribution_sees", "order", "begins", "every", "partial_channels")
        given = {name: getattr(self, name) for name in parts if getattr(self, name) is not None}
        return replace(method, **given)

    @property
    def learns(self) -> bool:
        """True where there is a method."""
        return self.method != NO_METHOD

    def supernet(self, given: SupernetSettings) -> SupernetSettings:
        """Returns the settings of the trainings, with the sizes, batches and rates of a supernet.

        Args:
            given: The supernet.

        Raises:
            ValidationError: If the settings of the split contradict each other.
        """
        taken = {name: getattr(given, name) for name in _OF_SUPERNET}
        own = {name: getattr(self, name) for name in _OF_SPLIT if getattr(self, name) is not None}
        rules = {"split": self.split, "sharing": "whole", "sampler": "balanced", "steps": self.steps}
        return SupernetSettings.model_validate(taken | rules | own)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.learns:
            for reason in (*_contradictions(self, self.row), *_contradictions_of_split(self)):
                raise ValueError(reason)
        elif self.split != _NO_SPLIT:
            raise ValueError(f"split = {self.split!r} needs a method: with method = {NO_METHOD!r} nothing is learnt")
        else:
            for name, field in type(self).model_fields.items():
                if getattr(self, name) != field.default:
                    raise ValueError(f"{name} has no effect where nothing is learnt (method = {NO_METHOD!r})")
        return self


def _contradictions(settings: GradientSettings, row: Method) -> list[str]:
    """Returns why settings do not go with each other; each names the two."""
    sees = f"distribution_sees = {row.distribution_sees!r}"
    refusals = {
        f"order = 2 needs distribution_sees = 'mixture' (got {sees})": row.order == 2
        and row.distribution_sees != "mixture",
        f"order = 2 needs weights_see = 'mixture' (got weights_see = {row.weights_see!r})": row.order == 2
        and row.weights_see != "mixture",
        f"begins has no effect with {sees}": settings.begins is not None and row.distribution_sees == "nothing",
        f"every has no effect with {sees}": settings.every is not None and row.distribution_sees == "nothing",
        f"rate has no effect with {sees}": settings.rate is not None and row.distribution_sees == "nothing",
        f"cost_weight has no effect with {sees}": settings.cost_weight > 0 and row.distribution_sees == "nothing",
        f"entropy has no effect with {sees}; it belongs to 'reward'": settings.entropy != _default("entropy")
        and row.distribution_sees != "reward",
        f"cost_weight needs decisions that do not depend on each other, and method = {settings.method!r} decides one"
        " after another": settings.cost_weight > 0 and row.controller,
        f"distribution_sees = {row.distribution_sees!r} needs decisions that do not depend on each other, and method ="
        f" {settings.method!r} decides one after another: choose 'reward'": row.controller
        and row.distribution_sees not in ("reward", "nothing"),
        f"weights_see = {row.weights_see!r} needs decisions that do not depend on each other, and method ="
        f" {settings.method!r} decides one after another: choose 'path' or 'uniform'": row.controller
        and row.weights_see in ("mixture", "gumbel"),
    }
    return [reason for reason, holds in refusals.items() if holds]


def _default(name: str) -> object:
    return GradientSettings.model_fields[name].default


def _contradictions_of_split(settings: GradientSettings) -> Iterator[str]:
    """Yields why a split does not go with other settings; each names the two."""
    split, row = settings.split, settings.row
    for name in _OF_RULES:
        if getattr(settings, name) is not None and name not in SPLITS[split].own:
            yield f"{name} has no effect with split = {split!r}"
    if not SPLITS[split].splits:
        if settings.parent_share is not None:
            yield f"parent_share needs subspaces, and split = {split!r} has none: set begins instead"
        if settings.inherit is not None:
            yield f"inherit needs subspaces, and split = {split!r} has none"
    if not SPLITS[split].by_boxes:
        # In a band of counts decisions depend on each other, and a mixture has no count.
        for name in ("weights_see", "distribution_sees"):
            if getattr(row, name) in ("mixture", "gumbel"):
                yield (
                    f"split = {split!r} needs paths that are drawn, since a mixture has no number of nonlinear"
                    f" functions: {name} = {getattr(row, name)!r} does not go with it; choose split = 'edge' or"
                    " 'gradient', or a method such as 'gdas'"
                )
    try:
        settings.supernet(SupernetSettings())
    except ValidationError as error:
        yield error.errors()[0]["msg"].removeprefix("Value error, ")
