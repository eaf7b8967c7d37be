"""Settings of the image data: where the images come from and what part of them is used for what."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from surrogate_nas._support.model_format import Fit
from surrogate_nas._support.words import printable
from surrogate_nas.data.sources import PATH_USE, SOURCES

DEFAULT_SOURCE = "digits"
# A mirrored 3 is not a 3: sets of characters are not flipped unless the study says so.
CHARACTER_SETS = frozenset({"digits", "mnist", "kmnist", "svhn", "usps"})
# A quarter of an 8x8 digit moved out of the picture is too much.
TINY_SETS = frozenset({"digits"})


class DataSettings(BaseModel):
    """Settings of the images: which ones a study uses, at which size, and how they are divided and augmented."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    source: str = Field(
        default=DEFAULT_SOURCE,
        description="Where the images come from: 'digits' (inside scikit-learn, no download), 'folder' (a folder of "
        f"images per class), or a torchvision set by name. One of: {', '.join(SOURCES)}.",
    )
    path: str | None = Field(
        default=None,
        validate_default=True,
        description="For 'folder', the folder of images; for a torchvision set, the folder that holds or receives its "
        "copy (default: the user's cache folder).",
    )
    image_size: int | None = Field(
        default=None,
        ge=4,
        le=1024,
        description="Side in pixels to which every image is resized, once it is square: by the mean of whole blocks "
        "of pixels where the sides divide, else by Pillow's BILINEAR. Default: the median of the images' short sides.",
    )
    channels: Literal["auto", "grey", "rgb"] = Field(
        default="auto", description="Colour channels; 'auto' is grey if every image file is greyscale, else rgb."
    )
    fit: Fit = Field(
        default="crop",
        description="How an image becomes square: 'crop' takes the centre square, 'pad' keeps the whole image, between"
        " black borders. The deployed model needs images that are made square in the same way.",
    )
    validation_fraction: float = Field(
        default=0.4,
        ge=0.05,
        le=0.9,
        description="Share of the images held out to label architectures. They are never trained on.",
    )
    recalibration_images: int = Field(
        default=1000,
        ge=1,
        description="Number of images that recompute batch-norm statistics, and are neither trained nor validated on. "
        "At most a fifth of the images outside the validation part.",
    )
    max_images: int | None = Field(
        default=None, ge=6, description="Largest number of images to use, the same share of every class."
    )
    on_unreadable: Literal["error", "skip"] = Field(
        default="error", description="Reaction to images that cannot be decoded: stop with an error, or skip them."
    )
    on_two_classes: Literal["error", "keep"] = Field(
        default="error",
        description="Reaction to training images of a folder that are in two classes, pixel by pixel: stop with an"
        " error, or keep them with a warning.",
    )
    memory_gb: float = Field(
        default=4.0,
        gt=0,
        description="Largest size of the decoded images in memory, in 10^9 bytes; loading needs up to twice as much."
        " More images are kept in a file of the run folder, and every step reads its batch from there.",
    )
    balance: bool | Literal["weights"] = Field(
        default=False,
        description="Make classes of unequal size count equally: every training draws them equally often, or with"
        " 'weights' weighs them in its loss, and labels and accuracies on validation images are balanced accuracies,"
        " the mean over classes.",
    )
    flip: bool = Field(
        default=True,
        description="Mirror training images left to right at random. Default: on, but off for sets of characters.",
    )
    shift: int = Field(
        default=2,
        ge=0,
        le=64,
        description="Largest random shift of training images in pixels each way, black where they left. Default: 1 for "
        "digits, 2 otherwise.",
    )

    @model_validator(mode="before")
    @classmethod
    def _augmentation_suits_source(cls, given: Any) -> Any:  # noqa: ANN401 - anything may be validated
        if not isinstance(given, dict):
            return given
        source = str(given.get("source", DEFAULT_SOURCE))
        return {"flip": source not in CHARACTER_SETS, "shift": 1 if source in TINY_SETS else 2} | given

    @field_validator("source")
    @classmethod
    def _source_is_known(cls, source: str) -> str:
        if source not in SOURCES:
            raise ValueError(f"no image source is called {source!r}; choose one of: {', '.join(SOURCES)}")
        return source

    @field_validator("path")
    @classmethod
    def _path_suits_source(cls, path: str | None, info: ValidationInfo) -> str | None:
        source = info.data.get("source")
        if source is None:
            return path
        if path is not None and not path.strip():
            raise ValueError("the path is empty; leave it out or name a folder")
        if path is not None and printable(path) != path:
            raise ValueError("the path is no valid UTF-8; rename the folder")
        if path is not None and PATH_USE[source] == "none":
            raise ValueError(
                f'the source {source!r} takes no path (got {path!r}); for your own images set source = "folder"'
            )
        if path is None and PATH_USE[source] == "required":
            raise ValueError(
                f"the source {source!r} needs the path of a folder with one sub-folder of images per class"
            )
        return path
