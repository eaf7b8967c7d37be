"""Settings of the supernet stage."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class SupernetSettings(BaseModel):
    """How the space is split, how sub-supernets share weights, and how they are trained.

    The supernet may be narrower and shallower than the deployed network.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    split: Literal["nonlinear", "none"] = Field(
        default="nonlinear", description="how the space is split: by number of nonlinear functions, or not at all"
    )
    groups: Annotated[int, Field(ge=1, le=64)] = Field(
        default=2, description="number of subspaces; the bands of counts are chosen to be of nearly equal population"
    )
    bands: tuple[tuple[int, ...], ...] | None = Field(
        default=None, description="nonlinear counts of each subspace, such as [[0, 1], [2, 3]], instead of groups"
    )
    sharing: Literal["whole", "depth"] = Field(
        default="whole",
        description="whole: every subspace owns all its weights; depth: copies of cells chosen by the running count",
    )
    thresholds: tuple[Annotated[float, Field(gt=0, lt=1)], ...] | None = Field(
        default=None, description="depth: shares of the largest running count after which the next copy is used"
    )
    shared_stages: Annotated[int, Field(ge=0)] | None = Field(
        default=None, description="depth: stages at the start that have one copy only"
    )
    sampler: Literal["balanced", "per_group", "uniform"] = Field(
        default="balanced",
        description="which subnets a step trains: balanced draws a subspace, then a subnet; per_group takes one of each"
        " subspace; uniform draws from the whole space",
    )
    channels: Annotated[int, Field(ge=1, le=1024)] = Field(default=8, description="channels of the first stage")
    cells: Annotated[int, Field(ge=1, le=64)] = Field(default=1, description="cells per stage")
    steps: Annotated[int, Field(ge=1)] = Field(
        default=20_000, description="optimizer steps; of each sub-supernet where they are trained apart"
    )
    batch_size: Annotated[int, Field(ge=2)] = Field(default=64, description="images per step")
    learning_rate: Annotated[float, Field(gt=0)] = Field(default=0.1, description="at the first step")
    final_learning_rate: Annotated[float, Field(ge=0)] = Field(
        default=0.0, description="approached on half a cosine, which the step after the last one would reach"
    )
    momentum: Annotated[float, Field(ge=0, lt=1)] = Field(default=0.9, description="Nesterov momentum")
    weight_decay: Annotated[float, Field(ge=0)] = Field(default=5e-4, description="of the weights that a step uses")
    clip_norm: Annotated[float, Field(gt=0)] | None = Field(default=5.0, description="largest gradient norm")
    checkpoint_seconds: Annotated[float, Field(gt=0)] = Field(default=30.0, description="time between checkpoints")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.bands is not None and self.split != "nonlinear":
            raise ValueError("bands belong to split = 'nonlinear'")
        if self.final_learning_rate > self.learning_rate:
            raise ValueError("final_learning_rate must not be above learning_rate")
        if self.sharing == "whole" and (self.thresholds is not None or self.shared_stages is not None):
            raise ValueError("thresholds and shared_stages belong to sharing = 'depth'")
        return self
