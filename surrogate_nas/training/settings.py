"""Settings of trainings of a network that owns its weights: short ones of finalists, and final ones."""

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from surrogate_nas._support.stored.settings_identity import settings_by_name

_SINCE_0_1_0 = ("layer_decay", "head_share", "balance")


class TrainingSettings(BaseModel):
    """Recipe of a short training; the defaults are NAS-Bench-201's except for the length."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    epochs: int = Field(3, ge=1, le=10_000, description="Passes over the training images.")
    batch_size: int = Field(128, ge=1, le=65_536, description="Images per step; all images where there are fewer.")
    learning_rate: float = Field(0.1, gt=0, le=100, description="Highest learning rate; it falls to 0 along a cosine.")
    layer_decay: float = Field(
        1.0,
        gt=0,
        le=1,
        description="Learning rate of each layer as a share of the next layer's, so that the first layers of a"
        " pretrained network change least.",
    )
    head_share: float = Field(
        0.0, ge=0, lt=1, description="Share of the steps, the first ones, in which the last layer alone is trained."
    )
    warmup: float = Field(
        0.0, ge=0, le=0.5, description="Share of the steps in which the learning rate rises to its highest value."
    )
    momentum: float = Field(0.9, ge=0, lt=1, description="Nesterov momentum of the stochastic gradient descent.")
    weight_decay: float = Field(5e-4, ge=0, le=1, description="Decay of the weights.")
    decay_norms: bool = Field(
        default=True, description="Apply the weight decay to biases and to the scales and offsets of norms too."
    )
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
        "float32",
        description="Precision of activations; auto is bfloat16 on GPUs that have it. On a CPU, auto is float32 in"
        " the short trainings of a study; a final training times both and takes bfloat16 if it is clearly quicker.",
    )
    # Feature maps of more images than this leave the caches: ones of 32 and 64 pixels take twice the time in 500s.
    evaluation_batch: int = Field(64, ge=1, le=65_536, description="Images per evaluation batch.")
    checkpoint_seconds: float = Field(30.0, ge=0, description="Seconds between checkpoints.")

    def of_random_weights(self) -> Self:
        """Returns the same recipe for a network that begins at random, all of whose layers have everything to learn."""
        return self.model_copy(update={"layer_decay": 1.0, "head_share": 0.0})

    def identity(self) -> dict[str, Any]:
        """Returns the settings that trained weights follow from.

        A training for 8 bits comes after the one whose settings these are.
        """
        return settings_by_name(self, ("checkpoint_seconds", "evaluation_batch", "quantisation_epochs"), _SINCE_0_1_0)


class FinalSettings(TrainingSettings):
    """Recipe of a final training; `train` chooses each value by the images unless you set it."""

    balance: bool | Literal["weights"] = Field(
        default=False,
        description="Draw every class equally often, whatever its size, or with 'weights' weigh classes in the loss by"
        " labels. Default: as data.balance of the study has it.",
    )
    flip: bool = Field(default=True, description="Mirror images left to right at random.")
    shift: int = Field(0, ge=0, le=512, description="Largest random shift in pixels each way, black where they left.")
    crop: float = Field(
        1.0, gt=0, le=1, description="Smallest area of a random resized crop as a share of the image; 1 crops nothing."
    )
    trivial_augment: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Strength of TrivialAugment: the share of images that a random operation changes, and the share of"
        " the operations' ranges that is used.",
    )
    erasing: float = Field(0.0, ge=0, le=1, description="Share of images in which a random box is erased.")
    mixup: float = Field(
        0.0, ge=0, le=1, description="Parameter of the beta distribution of mixup weights; 0 switches mixup off."
    )
    cutmix: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Parameter of the beta distribution of CutMix; 0 switches it off. With mixup, each takes half of"
        " the batches.",
    )
    teacher: str | None = Field(
        default=None,
        coerce_numbers_to_str=True,
        description="Larger architecture, by its code, that is trained first and then teaches. Default: no teacher.",
    )
    teacher_budget: float | None = Field(
        default=None,
        gt=1,
        le=1000,
        description="Teach by the largest architecture within this many times the budgets. Default: no teacher.",
    )
    teacher_weight: float = Field(
        0.5, gt=0, le=1, description="Weight of the teacher in the loss; the labels have the rest."
    )
    temperature: float = Field(
        2.0, gt=0, le=100, description="Temperature that softens the scores of teacher and student."
    )

    quantisation_epochs: int = Field(
        0,
        ge=0,
        le=1000,
        description="Further passes over the training images in which the network computes as its 8-bit file does, and"
        " makes up for what 8 bits cost (quantisation-aware training). Only 8-bit files have these weights.",
    )

    @model_validator(mode="after")
    def _one_teacher(self) -> Self:
        if self.teacher is not None and self.teacher_budget is not None:
            raise ValueError("teacher and teacher_budget exclude each other; set one of them")
        return self
