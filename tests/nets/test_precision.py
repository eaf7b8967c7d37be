"""Devices without float64: one function moves their tensors to the CPU first."""

import pytest
import torch

from surrogate_nas.nets import precision
from surrogate_nas.nets.precision import in_double
from tests.fixtures.no_double import no_double


def test_it_is_double_on_the_cpu_where_the_device_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert in_double(torch.ones(2)).dtype == torch.float64
    assert "mps" in precision.WITHOUT_DOUBLE
    assert in_double(torch.ones(2, device="meta")).device == torch.device("meta")
    monkeypatch.setattr(precision, "WITHOUT_DOUBLE", {"meta"})
    with pytest.raises(
        NotImplementedError, match="meta"
    ):  # it is moved first, which a tensor without content cannot be
        in_double(torch.ones(2, device="meta"))


def test_the_check_of_other_tests_finds_a_double() -> None:
    with no_double(), pytest.raises(AssertionError, match="makes a float64"):
        torch.ones(2).double()
