"""Figures as people read them."""

import pytest

from surrogate_nas.report import formats
from surrogate_nas.report.facts.architectures import CostFacts, Estimate


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.0 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (200, "3 min 20 s"),
        (3599.6, "1 h 00 min"),
        (3840, "1 h 04 min"),
        (90_061, "25 h 01 min"),
    ],
)
def test_durations(value: float, text: str) -> None:
    assert formats.seconds(value) == text


def test_unknown_figures_are_a_dash() -> None:
    unknown = [formats.percent(None), formats.points(None), formats.tau(None), formats.count(None)]
    unknown += [formats.cost("flops", None), formats.percent_interval(Estimate(70.0))]
    unknown += [formats.measured(CostFacts("latency_ms", 5.0)), formats.tau_interval(Estimate(None))]
    assert set(unknown) == {formats.UNKNOWN}


def test_zero_has_no_sign_and_negative_numbers_a_true_minus() -> None:
    assert formats.tau(-0.001) == "0.00"
    assert formats.tau(-0.25) == "\u22120.25"
    assert formats.points(-0.001) == "0.00 points"
    assert formats.tau_interval(Estimate(0.1, -0.05, 0.25)) == "0.10 (\u22120.05 to 0.25)"


def test_figures_have_units_and_sensible_digits() -> None:
    assert formats.percent(71.349) == "71.3%"
    assert formats.percent_interval(Estimate(70, 68.21, 71.84)) == "68.2 to 71.8%"
    assert formats.count(15_625) == "15,625"
    assert formats.measured(CostFacts("latency_ms", 5.0, 6.0, 5.123, 0.2)) == "5.12 ms (IQR 0.2 ms)"
    assert (formats.cost_title("latency_ms"), formats.cost_name("flops")) == ("Latency", "FLOPs")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("nor_conv_3x3", "conv 3\u00d73"),
        ("skip_connect", "skip connect"),
        ("avg_pool_3x3", "avg pool 3\u00d73"),
        ("none", "none"),
    ],
)
def test_operations_in_words(name: str, text: str) -> None:
    assert formats.operation(name) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, formats.UNKNOWN), (0.4, "0 J"), (850, "850 J"), (12_400, "12.4 kJ"), (1_260_000, "0.35 kWh")],
)
def test_joules(value: float | None, text: str) -> None:
    assert formats.joules(value) == text
