"""Settings of searches by gradients."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from surrogate_nas.gradient.methods import METHODS, DistributionSees, Method, WeightsSee

NO_METHOD = "none"
if TYPE_CHECKING:
    MethodName = str
else:  # every row of the table is a choice of the setting
    MethodName = Literal[(NO_METHOD, *METHODS)]


class GradientSettings(BaseModel):
    """Settings of a distribution over architectures that is learnt by gradients, on shared weights of its own.

    Sizes, batches and the learning rate of the weights are the supernet's.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    method: MethodName = Field(
        default=NO_METHOD,
        description="Search by gradients: darts, darts2 (second order), pcdarts, snas, gdas, setn, enas, rsps or"
        " proxyless. The settings below replace parts of it. none learns no distribution.",
    )
    steps: Annotated[int, Field(ge=1)] = Field(default=5000, description="Training steps of the weights.")
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
        description="Share of the steps after which the distribution begins to learn. If not set: as in the method.",
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

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.learns:
            for reason in _contradictions(self, self.row):
                raise ValueError(reason)
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
