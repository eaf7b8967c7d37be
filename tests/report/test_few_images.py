"""Few validation images are named before the study, and judged by the labels after it."""

import pytest

from surrogate_nas.report.facts.reliability import LabelFacts
from surrogate_nas.report.few_images import FEW_IMAGES, before_labels, doubt


def test_the_warning_before_the_study_says_what_chance_does() -> None:
    assert before_labels(FEW_IMAGES) is None
    text = before_labels(40)
    assert text is not None
    assert "rest on 40 validation images only" in text
    assert "an accuracy of 80% by up to 12.4 points" in text  # 1.96 * sqrt(0.8 * 0.2 / 40)


@pytest.mark.parametrize(
    ("images", "behind", "highest", "expected"),
    [(FEW_IMAGES, None, 51.0, None), (199, None, 60.0, False), (199, None, 55.0, True), (900, 199, 60.0, False)],
)
def test_labels_mean_nothing_where_chance_reaches_from_the_median_to_the_best(
    images: int, behind: int | None, highest: float, expected: bool | None
) -> None:
    found = doubt(LabelFacts(300, 300, images, 20.0, 50.0, highest, 6.9, behind))
    assert (None if found is None else found[0]) is expected
    if found is not None:
        assert "rests on 199 validation images only: chance alone moves it by up to 6.9" in found[1]
        assert ("by chance" in found[1]) is found[0]
