"""Numbers of a deployed network in words."""

from surrogate_nas.costs.number_formats import numbers_of


def test_activations_are_of_8_bits_alone() -> None:
    assert numbers_of("float32", "signed") == "float32"
    assert numbers_of("int8", "unsigned") == "int8"
    assert numbers_of("int8", "signed") == "int8 with signed activations"
