"""Settings of the search."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from surrogate_nas.search.acquisition import AcquisitionName
from surrogate_nas.search.sampler_table import BY_LENGTHS, SAMPLERS, SamplerRow

if TYPE_CHECKING:
    SamplerName = str
else:
    SamplerName = Literal[tuple(SAMPLERS)]  # every row of the table is a choice of the setting
Goal = Literal["budget", "pareto"]


class SearchSettings(BaseModel):
    """Settings of the search over the predictor."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    sampler: SamplerName = Field(
        "predictor",
        description="Search strategy: predictor scans a space that can be enumerated and climbs in others;"
        " segments does the same, but spends the labels segment by segment in a space too large to"
        " enumerate; learned proposes the likeliest of the distribution of gradient.method; scan and climb are the two"
        " parts of predictor; evolution, reinforce, random, nsga2 and tpe are there for comparison.",
    )
    goal: Goal = Field(
        "budget", description="Result to look for: the best architecture within the budget, or the whole Pareto front."
    )
    traded: tuple[str, ...] = Field(
        (), max_length=2, description="Costs of the Pareto front, one or two; the first budget's cost if not set."
    )
    trials: int = Field(400, ge=1, le=1_000_000, description="Architectures written to the Optuna study.")
    acquisition: AcquisitionName = Field("mean", description="Value that ranks architectures for a trial.")
    kappa: float = Field(1.0, ge=0, le=100, description="Standard deviations that the acquisition ucb adds.")
    batch: int = Field(50, ge=2, le=100_000, description="Proposals scored together; NSGA-II's population.")
    finalists: int = Field(5, ge=1, le=1_000, description="Best feasible architectures handed to the next stage.")
    measured: int = Field(
        8,
        ge=0,
        le=1_000,
        description="Architectures that are measured at a time before the search, for each set of budgets: the best by"
        " their scores among the ones that are predicted within a budget and whose upper bound is over it, as long as"
        " these are better than any that surely keeps it, three times at most. 0 for none, so that the upper bound"
        " decides. With loop.trainings, the networks to train are measured instead.",
    )
    front_share: float = Field(0.2, ge=0, le=1, description="Share of trials kept for the Pareto front, in a scan.")
    infeasible_share: float = Field(
        0.15, ge=0, le=0.5, description="Share of trials that show architectures the budget excludes, in a scan."
    )

    @field_validator("sampler", mode="before")
    @classmethod
    def _predictor_has_no_lengths(cls, given: Any) -> Any:  # noqa: ANN401 - anything may be validated
        if given in BY_LENGTHS:
            raise ValueError(
                f"{given} chooses how long to train, and the predictor's score does not depend on that: choose another"
                " sampler, and successive halving of real trainings by loop.trainings and loop.lengths"
            )
        return given

    @model_validator(mode="after")
    def _sampler_uses_the_rest(self) -> Self:
        if self.goal == "pareto" and not SAMPLERS[self.sampler].seeks_front:
            raise ValueError(
                f"search.sampler = {self.sampler!r} looks for accuracy alone: with search.goal = 'pareto' choose one of"
                f" {_samplers(lambda row: row.seeks_front)}"
            )
        if self.acquisition != "mean" and not SAMPLERS[self.sampler].acquires:
            raise ValueError(
                f"search.acquisition = {self.acquisition!r} has no effect on search.sampler = {self.sampler!r}: choose"
                f" 'mean', or one of the samplers {_samplers(lambda row: row.acquires)}"
            )
        return self


def _samplers(suits: Callable[[SamplerRow], bool]) -> str:
    return ", ".join(name for name, row in SAMPLERS.items() if suits(row))


class ResidualSettings(BaseModel):
    """Influence of trained networks on others; chosen on recorded labels of NAS-Bench-201, odd columns.

    Standard deviations are in units of ``spread_percent``, and of networks among the best predicted ones.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    spread_percent: float = Field(
        1.0, gt=0, le=100, description="Least unit, in percentage points, of all deviations here."
    )
    reference: int = Field(
        150, ge=2, description="Number of best predicted candidates whose scores define one standard deviation."
    )
    slope: float = Field(0.2, ge=0, le=10, description="Accuracy per standard deviation of the score.")
    smooth: float = Field(0.5, ge=0, le=10, description="Deviation that similar architectures share.")
    length: float = Field(1.5, gt=0, le=100, description="Distance over which architectures are similar.")
    own: float = Field(0.24, ge=0, le=10, description="Deviation of an architecture alone.")
    noise: float = Field(0.14, gt=0, le=10, description="Deviation between two trainings of one architecture.")
    caution: float = Field(
        0.5, ge=0, le=10, description="Standard deviations that are added to the value of uncertain candidates."
    )


class LoopSettings(BaseModel):
    """Real trainings of finalists, from which the search learns."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    trainings: int = Field(0, ge=0, le=10_000, description="Short trainings of finalists; 0 for none.")
    rounds: int = Field(3, ge=1, le=100, description="Batches of trainings; the search learns after each.")
    first: Literal["best", "drawn", "varied"] = Field(
        "best",
        description="Networks of the first batch: best are the best by the predictor; drawn are fair draws just below"
        " the budgets, of all numbers of nonlinear functions; varied are variations of the best"
        " trained architecture with a name, in later batches too. Architectures that the space has a name for come"
        " before them, a quarter of all trainings at most: the best by the predictor for best, and the largest that"
        " keep the budgets otherwise.",
    )
    stop_gain_percent: float = Field(
        0.01,
        ge=0,
        le=100,
        description="Expected gain, in percentage points, below which a batch is not trained.",
    )
    lengths: int = Field(
        1,
        ge=1,
        le=6,
        description="Number of training lengths: all begin with the shortest, and the best continue with the"
        " next. 1 means full length only.",
    )
    halving: int = Field(
        3,
        ge=2,
        le=10,
        description="Factor by which the number of trainings falls, and their length grows, from one length"
        " to the next.",
    )
    residual: ResidualSettings = Field(
        default_factory=ResidualSettings, description="Settings of what trainings imply for other architectures."
    )
