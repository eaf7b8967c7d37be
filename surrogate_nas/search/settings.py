"""What a user may choose about the search."""

from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field

from surrogate_nas.search.acquisition import AcquisitionName
from surrogate_nas.search.sampler_table import SAMPLERS

if TYPE_CHECKING:
    SamplerName = str
else:
    SamplerName = Literal[tuple(SAMPLERS)]  # a row of the table is a choice of the setting
Goal = Literal["budget", "pareto"]


class SearchSettings(BaseModel):
    """Settings of the search over the predictor."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sampler: SamplerName = Field(
        "predictor",
        description="Who proposes: predictor (scan of what is listed, climb where nothing is), segments (the same, with"
        " a study's labels spent segment by segment of a space that cannot be listed), or a rival.",
    )
    goal: Goal = Field("budget", description="The best architecture within the budget, or the whole Pareto front.")
    traded: tuple[str, ...] = Field(
        (), max_length=2, description="Costs of the Pareto front, one or two; the first budget's where none is named."
    )
    trials: int = Field(400, ge=1, le=1_000_000, description="Architectures written to the Optuna study.")
    acquisition: AcquisitionName = Field("mean", description="What makes an architecture worth a trial.")
    kappa: float = Field(1.0, ge=0, le=100, description="Standard deviations that the acquisition ucb adds.")
    batch: int = Field(50, ge=2, le=100_000, description="Proposals scored together; NSGA-II's population.")
    finalists: int = Field(5, ge=1, le=1_000, description="Best feasible architectures handed to the next stage.")
    front_share: float = Field(0.2, ge=0, le=1, description="Scan: share of trials kept for the Pareto front.")
    infeasible_share: float = Field(
        0.15, ge=0, le=0.5, description="Scan: share of trials that show what the budget excludes."
    )


class ResidualSettings(BaseModel):
    """How much trained networks say about others; chosen on recorded labels of NAS-Bench-201, odd columns.

    Standard deviations are in units of ``spread_percent``, and of networks among the best predicted ones.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    spread_percent: float = Field(1.0, gt=0, le=100, description="Least percentage points that all else is in.")
    reference: int = Field(150, ge=2, description="Best predicted candidates among which a score's spread is taken.")
    slope: float = Field(0.2, ge=0, le=10, description="Accuracy per standard deviation of the score.")
    smooth: float = Field(0.5, ge=0, le=10, description="Deviation that similar architectures share.")
    length: float = Field(1.5, gt=0, le=100, description="Distance over which architectures are similar.")
    own: float = Field(0.24, ge=0, le=10, description="Deviation of an architecture alone.")
    noise: float = Field(0.14, gt=0, le=10, description="Deviation between two trainings of one architecture.")
    caution: float = Field(0.5, ge=0, le=10, description="Standard deviations by which unknown ones are preferred.")


class LoopSettings(BaseModel):
    """Real trainings of finalists, from which the search learns."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    trainings: int = Field(0, ge=0, le=10_000, description="Short trainings of finalists; 0 for none.")
    rounds: int = Field(3, ge=1, le=100, description="Batches of trainings; the search learns after each.")
    stop_gain_percent: float = Field(
        0.01,
        ge=0,
        le=100,
        description="Percentage points; a batch that is expected to gain less is not trained.",
    )
    lengths: int = Field(
        1,
        ge=1,
        le=6,
        description="Lengths of trainings: all begin with the shortest, the best go on to the next; 1 is full length.",
    )
    halving: int = Field(
        3,
        ge=2,
        le=10,
        description="By which the number of trainings falls, and their length grows, from one to the next.",
    )
    residual: ResidualSettings = Field(default_factory=ResidualSettings, description="What trainings say of others.")
