"""Results of any kind come back, of their own setting only; damage and other writers cost a warning at most."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surrogate_nas.errors import SurrogateNasWarning
from surrogate_nas.hardware.result_cache import Kind, ResultCache


def _whole(value: object) -> int:
    if type(value) is not int:
        raise ValueError(f"{value!r} is no whole number")
    return value


COUNTS = Kind("counts", "count", "count", 1, int, _whole)


@given(st.lists(st.dictionaries(st.text("ab", max_size=3), st.integers()), max_size=4))
def test_the_first_result_of_a_name_stays(
    tmp_path_factory: pytest.TempPathFactory, batches: list[dict[str, int]]
) -> None:
    cache = ResultCache(COUNTS, tmp_path_factory.mktemp("cache"), {"machine": "abacus"})
    expected: dict[str, int] = {}
    for batch in batches:
        expected = {**batch, **expected}
        assert cache.add(batch) == {name: expected[name] for name in batch}
    assert cache.read() == expected


def test_kinds_settings_and_schemas_have_files_of_their_own(tmp_path: Path) -> None:
    later = Kind("counts", "count", "count", 2, int, _whole)
    caches = [
        ResultCache(COUNTS, tmp_path, {"threads": 1}),
        ResultCache(COUNTS, tmp_path, {"threads": 2}),
        ResultCache(later, tmp_path, {"threads": 1}),
    ]
    assert len({cache.path for cache in caches}) == 3


def test_an_update_makes_what_is_kept_of_what_was(tmp_path: Path) -> None:
    cache = ResultCache(COUNTS, tmp_path, {})
    cache.add({"a": 1, "b": 2})
    assert cache.update({"a": 3}, lambda kept: {**kept, "a": kept["a"] + 3}) == {"a": 4}
    assert cache.read() == {"a": 4, "b": 2}


def test_an_entry_of_another_type_makes_the_file_again(tmp_path: Path) -> None:
    cache = ResultCache(COUNTS, tmp_path, {})
    cache.add({"a": 1})
    cache.path.write_text(cache.path.read_text().replace('"a": 1', '"a": "1"'))
    with pytest.warns(SurrogateNasWarning, match=r"cache of counts .* cannot be used and is made again"):
        assert cache.read() == {}
