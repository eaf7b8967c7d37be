"""Settings of the label stage."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from surrogate_nas.space.pool import Draws

_SMALL = 16  # pixels; measured at 16 and 32
_SMALL_AT_ONCE, _LARGE_AT_ONCE = 500, 64


class LabelSettings(BaseModel):
    """Settings of the label stage: the number of architectures, and the images to evaluate them on."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    count: Annotated[int, Field(ge=20)] = Field(
        default=1000,
        description="Architectures to label, drawn from the space without repeats; fewer in a small space.",
    )
    draws: Draws = Field(
        "uniform",
        description="Rule that draws architectures: uniform, or balanced, as many for each number of nonlinear"
        " functions, or varied, near the architectures that the space has a name for: at most a third of the decisions"
        " of one are drawn again. Nearly all architectures of a chain of chosen depth are deep; balanced draws are of"
        " all depths. Parts of pretrained weights near uniform cuts are better than nearly all others.",
    )
    in_band: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0.0,
        description="Share of the labels drawn among architectures that keep the budgets and use most of them, see"
        " band. The others are of the whole space, so that the table has answers for other budgets. More pays off in"
        " large spaces.",
    )
    band: Annotated[float, Field(gt=1)] = Field(
        default=2.0, description="How far below the budgets in_band draws: 2 reaches down to half of a budget."
    )
    judge: Literal["auto", "supernet", "probe", "both"] = Field(
        default="supernet",
        description="What an architecture is judged by. supernet: its classifier in the trained supernet, on validation"
        " images. probe: a linear classifier on the features that its part of the pretrained weights has, with each"
        " image of the study left out once; nothing was trained on them, so that all of them judge. both: the mean of"
        " the two, with equal spread. auto: both where supernets begin with pretrained weights, else supernet.",
    )
    validation_images: Annotated[int, Field(ge=2)] = Field(
        default=2500,
        description="Held-out images to evaluate each architecture on, and images that a probe takes; all where there"
        " are fewer.",
    )
    folds: Literal["auto"] | Annotated[int, Field(ge=1, le=20)] = Field(
        default=1,
        description="Folds of cross-validated labels: all supernets are trained once a fold, each image is a validation"
        " image in one of them, and a label is the mean over all images. 1 is off: the validation images alone. auto is"
        " off too, but for fewer than 200 validation images that no linear probe adds to: then it takes 2 to 5 folds.",
    )
    batch_size: Literal["auto"] | Annotated[int, Field(ge=1)] = Field(
        default="auto",
        description="Images per evaluation batch. auto: 500 of up to 16 pixels, and 64 of larger ones, whose feature"
        " maps no cache would hold.",
    )

    def images_at_once(self, side: int) -> int:
        """Returns the images of a batch, of a side in pixels."""
        if self.batch_size != "auto":
            return self.batch_size
        return _SMALL_AT_ONCE if side <= _SMALL else _LARGE_AT_ONCE
