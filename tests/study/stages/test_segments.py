"""Labels spent by segments; a whole study that does so is in ``test_large.py``."""

from dataclasses import replace

import pytest

from surrogate_nas.errors import SettingsError
from surrogate_nas.space.pool import Pool
from surrogate_nas.study.stages.prepare import Prepared
from surrogate_nas.study.stages.segments import segments_of


def test_a_listed_space_is_refused(prepared: Prepared) -> None:
    with pytest.raises(SettingsError, match="is for spaces that cannot be listed"):
        segments_of(prepared)


def test_each_segment_needs_labels_to_learn_from(prepared: Prepared) -> None:
    part = Pool(prepared.space, prepared.codes[5000:6000], complete=False, uniform=1000)
    long = prepared.settings.model_copy(
        update={"segments": prepared.settings.segments.model_copy(update={"scored": 200})}
    )
    one = replace(prepared, pool=part)
    assert segments_of(replace(one, settings=prepared.settings.model_copy(deep=True))).labels == 20
    with pytest.raises(SettingsError, match=r"labels.count must be at least 60 for a search in 3 segments \(got 40\)"):
        segments_of(replace(one, settings=long))
