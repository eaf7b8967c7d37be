"""What a user may choose about the search."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

SamplerName = Literal["scan", "random", "nsga2", "tpe"]
Goal = Literal["budget", "pareto"]


class SearchSettings(BaseModel):
    """Settings of the search over the predictor."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sampler: SamplerName = Field("scan", description="Who proposes: scan (exact, needs a listable space) or Optuna's.")
    goal: Goal = Field("budget", description="The best architecture within the budget, or the whole Pareto front.")
    trials: int = Field(400, ge=1, le=1_000_000, description="Architectures written to the Optuna study.")
    batch: int = Field(50, ge=2, le=100_000, description="Proposals scored together; NSGA-II's population.")
    finalists: int = Field(5, ge=1, le=1_000, description="Best feasible architectures handed to the next stage.")
    front_share: float = Field(0.2, ge=0, le=1, description="Scan: share of trials kept for the Pareto front.")
    infeasible_share: float = Field(
        0.15, ge=0, le=0.5, description="Scan: share of trials that show what the budget excludes."
    )
