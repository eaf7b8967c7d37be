import sys

import pytest

from surrogate_nas._support.late import Late


def test_nothing_is_imported_before_the_call() -> None:
    sys.modules.pop("this_module_is_not_there", None)
    late = Late("this_module_is_not_there:name")
    with pytest.raises(ModuleNotFoundError, match="this_module_is_not_there"):
        late()


def test_it_calls_what_stands_at_its_place() -> None:
    assert Late("fractions:Fraction")(3, denominator=6) == Late("fractions:Fraction").target(1, 2)


def test_a_name_that_is_not_there_is_named() -> None:
    with pytest.raises(AttributeError, match="Fractions"):
        Late("fractions:Fractions")()
