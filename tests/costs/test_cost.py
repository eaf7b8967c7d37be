"""Rows of the table of costs, and costs on devices."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surrogate_nas.costs.budget import parse_budget
from surrogate_nas.costs.cost import (
    BOUNDED,
    COSTS,
    cost_on,
    format_apart,
    format_cost,
    format_reachable,
    percent_over,
    split_cost,
    upper_of,
)


def test_options_and_keywords_follow_from_the_key() -> None:
    assert (COSTS["memory_bytes"].option, COSTS["memory_bytes"].keyword) == ("--memory-budget", "memory_budget")
    assert list(BOUNDED) == ["latency", "flops", "params", "memory", "ram", "flash", "energy"]
    assert all(COSTS[name].key == key for key, name in BOUNDED.items())


def test_a_cost_on_a_device_is_that_cost_with_the_device_in_its_title() -> None:
    name = cost_on("latency_ms", "pixel3")
    assert name in COSTS
    assert COSTS[name].title == "latency on pixel3"
    assert split_cost(name) == ("latency_ms", "pixel3")
    assert split_cost("flops") == ("flops", None)
    assert "speed[pixel3]" not in COSTS
    with pytest.raises(KeyError):
        COSTS["speed"]


def test_a_predicted_cost_has_an_upper_bound_on_every_device() -> None:
    assert upper_of("latency_ms") == "latency_upper_ms"
    assert upper_of("latency_ms[pixel3]") == "latency_upper_ms[pixel3]" in COSTS
    assert upper_of("flops") is None


@pytest.mark.parametrize(
    ("cost", "value", "text"),
    [
        ("latency_ms", 4.9712, "4.97 ms"),
        ("latency_ms", 0.0123456, "0.0123 ms"),
        ("latency_ms", 99.96, "100 ms"),
        ("latency_ms", 1234.5, "1234 ms"),
        ("flops", 41_234_567, "41.2 M"),
        ("flops", 220_119_680, "220 M"),
        ("flops", 12_345_678_901, "12.3 G"),
        ("params", 1_073_466, "1.07 M"),
        ("params", 73_306, "73.3 K"),
        ("params", 999, "999"),
        ("params", 0, "0"),
        # Never a thousand of a unit where there is a next one.
        ("params", 999_499, "999 K"),
        ("params", 999_500, "1 M"),
        ("flops", 999_999_999, "1 G"),
    ],
)
def test_a_cost_for_people(cost: str, value: float, text: str) -> None:
    assert format_cost(cost, value) == text


@pytest.mark.parametrize("cost", ["flops", "params"])
@given(value=st.integers(1000, 10**12))
def test_a_count_reads_back_to_three_digits(cost: str, value: int) -> None:
    limit = parse_budget(cost, format_cost(cost, value)).limit
    assert limit == pytest.approx(value, rel=5.01e-3)


def test_numbers_on_two_sides_of_a_limit_look_different() -> None:
    assert format_apart("latency_ms", 5.0, 4.0) == ("5 ms", "4 ms")
    assert format_apart("latency_ms", 5.004, 5.0) == ("5.004 ms", "5 ms")
    assert format_apart("flops", 12_345_678, 12_345_000) == ("12.346 M", "12.345 M")
    assert format_apart("params", 7, 7) == ("7", "7")


def test_what_is_over_is_never_over_by_nothing() -> None:
    assert [percent_over(excess) for excess in (0.0254, 0.0005, 1e-9)] == ["2.5%", "0.1%", "less than 0.1%"]


@given(st.floats(1e-4, 1e6), st.sampled_from(["latency_ms", "flops", "memory_bytes", "energy_mj"]))
def test_the_smallest_cost_in_words_is_a_budget_that_is_kept(value: float, cost: str) -> None:
    if not COSTS[cost].plain_unit:
        value = 1000 + float(np.ceil(value))  # smaller counts have no unit
    limit = parse_budget(cost, format_reachable(cost, value).replace(" ", "")).limit
    assert limit is not None
    assert value <= limit * (1 + 1e-9)
    assert limit <= value * 1.011
