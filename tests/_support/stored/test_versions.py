"""A file of another version is refused, and a newer one is told from an older one."""

import pytest

from surrogate_nas._support.stored.versions import require_version
from surrogate_nas.errors import StoreError


@pytest.mark.parametrize("found", [3, "3"])
def test_the_version_that_is_read_passes(found: object) -> None:
    require_version("the file a", found, 3, "remove it")


@pytest.mark.parametrize("found", [4, "4", 10**9])
def test_a_newer_file_asks_for_a_newer_program(found: object) -> None:
    with pytest.raises(
        StoreError, match=f"the file a has version {found} and this program reads 3: the program is older than"
    ):
        require_version("the file a", found, 3, "remove it")


@pytest.mark.parametrize("found", [2, "2", None, "four", -1, 3.5, [], "\u00b3", "9" * 5000])
def test_any_other_version_comes_with_the_remedy(found: object) -> None:
    with pytest.raises(StoreError, match=r"and this program reads 3; remove it|\.\.\. .*remove it") as caught:
        require_version("the file a", found, 3, "remove it")
    assert "older than" not in str(caught.value)


def test_something_long_in_its_place_makes_no_long_message() -> None:
    with pytest.raises(StoreError) as error:
        require_version("the file f", {"x": "y" * 1000}, 1, "remove it")
    assert len(str(error.value)) < 120
