"""A missing package is an error with its remedy."""

import math
import sys

import pytest

from surrogate_nas._support.optional import require_installed, require_package
from surrogate_nas.errors import ExportError


def test_what_is_there_is_imported() -> None:
    assert require_package("math", "sums", ExportError) is math


def test_what_is_not_there_is_said() -> None:
    with pytest.raises(ExportError, match=r"not installed, which sums need; install it with: pip install no_such"):
        require_package("no_such_package_as_this", "sums", ExportError)


def test_the_remedy_names_the_extra_or_the_package_and_no_part_of_it() -> None:
    with pytest.raises(ExportError, match=r"pip install 'surrogate_nas\[sums\]'$"):
        require_package("no_such_package_as_this", "sums", ExportError, "sums")
    with pytest.raises(ExportError, match=r"pip install no_such_package_as_this$"):
        require_package("no_such_package_as_this.part", "sums", ExportError)


def test_a_package_is_found_without_its_import() -> None:
    assert "ensurepip" not in sys.modules
    require_installed("ensurepip", "sums", ExportError)
    assert "ensurepip" not in sys.modules
    for name in ("no_such_package_as_this", "no_such_package_as_this.part"):
        with pytest.raises(ExportError, match=r"not installed, which sums need; install it with: pip install no_such"):
            require_installed(name, "sums", ExportError)
