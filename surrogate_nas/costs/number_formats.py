"""The numbers that a deployed network computes with."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

Precision = Literal["float32", "int8"]
Activations = Literal["unsigned", "signed"]
Numbers = Literal["float32", "int8", "int8 with signed activations"]
"""A precision and, where it is int8 in another form than usual, its activations."""

NUMBER_BYTES: Mapping[Precision, int] = MappingProxyType({"float32": 4, "int8": 1})


def numbers_of(precision: Precision, activations: Activations) -> Numbers:
    """Returns both in words."""
    signed = precision == "int8" and activations == "signed"
    return "int8 with signed activations" if signed else precision
