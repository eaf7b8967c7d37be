"""Batches are as large as caches hold, unless a study says how large."""

import pytest
from pydantic import ValidationError

from surrogate_nas.labels.settings import LabelSettings


def test_large_images_are_evaluated_in_small_batches() -> None:
    settings = LabelSettings()
    assert [settings.images_at_once(side) for side in (8, 16, 24, 224)] == [500, 500, 64, 64]
    assert LabelSettings(batch_size=7).images_at_once(224) == 7
    with pytest.raises(ValidationError):
        LabelSettings(batch_size=0)
