"""How a network that owns its weights is trained."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class TrainingSettings(BaseModel):
    """A recipe; the defaults are NAS-Bench-201's but for the length."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    epochs: int = Field(3, ge=1, le=10_000, description="Passes over the training images.")
    batch_size: int = Field(128, ge=1, le=65_536, description="Images per step; fewer where there are not as many.")
    learning_rate: float = Field(0.1, gt=0, le=100, description="The highest; falls to 0 along a cosine.")
    warmup: float = Field(0.0, ge=0, le=0.5, description="Share of the steps in which the learning rate rises to it.")
    momentum: float = Field(0.9, ge=0, lt=1, description="Nesterov momentum of the stochastic gradient descent.")
    weight_decay: float = Field(5e-4, ge=0, le=1, description="Of all weights.")
    label_smoothing: float = Field(0.0, ge=0, lt=1, description="Share of the target that all classes divide.")
    clip_norm: float | None = Field(5.0, gt=0, description="Largest norm of a gradient; none where not given.")
    ema: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Share of the steps that a running mean of the weights spans, which is the result.",
    )
    precision: Literal["float32", "auto", "bfloat16"] = Field(
        "float32", description="Of activations; auto is bfloat16 on GPUs that have it, float32 elsewhere."
    )
    evaluation_batch: int = Field(500, ge=1, le=65_536, description="Images per evaluation batch.")
    checkpoint_seconds: float = Field(30.0, ge=0, description="Time between checkpoints.")
