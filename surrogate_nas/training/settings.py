"""Settings of the training of a network that owns its weights."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class TrainingSettings(BaseModel):
    """Recipe of a training; the defaults are NAS-Bench-201's except for the length."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    epochs: int = Field(3, ge=1, le=10_000, description="Passes over the training images.")
    batch_size: int = Field(128, ge=1, le=65_536, description="Images per step; all images where there are fewer.")
    learning_rate: float = Field(0.1, gt=0, le=100, description="Highest learning rate; it falls to 0 along a cosine.")
    warmup: float = Field(
        0.0, ge=0, le=0.5, description="Share of the steps in which the learning rate rises to its highest value."
    )
    momentum: float = Field(0.9, ge=0, lt=1, description="Nesterov momentum of the stochastic gradient descent.")
    weight_decay: float = Field(5e-4, ge=0, le=1, description="Decay of all weights.")
    label_smoothing: float = Field(
        0.0, ge=0, lt=1, description="Share of the target that is divided among all classes."
    )
    clip_norm: float | None = Field(5.0, gt=0, description="Largest norm of a gradient; no limit if not set.")
    ema: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Share of the steps that the running mean of the weights spans; the result is that mean.",
    )
    precision: Literal["float32", "auto", "bfloat16"] = Field(
        "float32", description="Precision of activations; auto is bfloat16 on GPUs that have it, float32 elsewhere."
    )
    evaluation_batch: int = Field(500, ge=1, le=65_536, description="Images per evaluation batch.")
    checkpoint_seconds: float = Field(30.0, ge=0, description="Seconds between checkpoints.")
