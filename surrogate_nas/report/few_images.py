"""Labels on so few validation images that chance may order them."""

import math

from surrogate_nas._support.words import count_of
from surrogate_nas.report import formats
from surrogate_nas.report.facts.reliability import LabelFacts

FEW_IMAGES = 200  # behind a label; chance moves an accuracy of 80% on so many by 5.5 percentage points
_USUAL = 0.8  # accuracy that an error is given for before there are labels
_REMEDY = (
    "add images, to the validation folder if there is one; if there is none, raise data.validation_fraction, or"
    f" cross-validate labels with labels.folds = auto; raise labels.validation_images if it is below {FEW_IMAGES}"
)
_REMEDY_OF_ALL = "add images, since labels rest on all of them already"


def before_labels(images: int, rests_on_all: bool = False) -> str | None:
    """Returns a warning before anything is trained; None where there are enough images.

    Args:
        images: Number of images that each label rests on.
        rests_on_all: Whether these are all images of the study.
    """
    if images >= FEW_IMAGES:
        return None
    points = 196 * math.sqrt(_USUAL * (1 - _USUAL) / images)
    return (
        f"a label will rest on {count_of(images, 'validation image')} only, fewer than {FEW_IMAGES}: chance alone moves"
        f" an accuracy of {_USUAL:.0%} by up to {points:.1f} points, so labels may order architectures by chance;"
        f" {_remedy(rests_on_all)}"
    )


def doubt(labels: LabelFacts) -> tuple[bool, str] | None:
    """Returns whether labels can mean nothing, and why; None where there are enough images.

    They can mean nothing where chance moves a label by as much as the best one is above the median.
    """
    behind = labels.images if labels.behind is None else labels.behind
    error, median, highest = labels.error_percent, labels.median_percent, labels.highest_percent
    if behind >= FEW_IMAGES or error is None or median is None or highest is None:
        return None
    hopeless = error >= highest - median
    so = ", as much as the best label is above the median: labels may order architectures by chance" if hopeless else ""
    return hopeless, (
        f"Each label rests on {count_of(behind, 'validation image')} only: chance alone moves it by up to"
        f" {formats.points(error)}{so}. {_remedy(labels.rests_on_all).capitalize()}."
    )


def _remedy(rests_on_all: bool) -> str:
    return _REMEDY_OF_ALL if rests_on_all else _REMEDY
