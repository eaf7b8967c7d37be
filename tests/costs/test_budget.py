"""Budgets as people type them, right and wrong, and the one sign of a violation."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surrogate_nas.costs.budget import Budget, BudgetRequest, BudgetRequests, parse_budget, total_excess, within
from surrogate_nas.costs.cost import COSTS, format_cost
from surrogate_nas.errors import BudgetError

VALUES = np.array([5.0, 1.0, 4.0, 2.0, 3.0])


@pytest.mark.parametrize(
    ("cost", "text", "limit"),
    [
        ("latency_ms", "5ms", 5.0),
        ("latency_ms", " 5 ms ", 5.0),
        ("latency_ms", "5MS", 5.0),
        ("energy_mj", "5mj", 5.0),
        ("latency_ms", "+.5ms", 0.5),
        ("latency_ms", "5.ms", 5.0),
        ("latency_ms", "1e3us", 1.0),
        ("latency_ms", "250 \u00b5s", 0.25),  # micro sign
        ("latency_ms", "250 \u03bcs", 0.25),  # Greek mu
        ("latency_ms", "0.02s", 20.0),
        ("flops", "50M", 50e6),
        ("memory_bytes", "256KiB", 262_144),
        ("memory_bytes", "256KB", 256_000),
        ("flops", "50m", 50e6),
        ("flops", "1.5G", 1.5e9),
        ("params", "800k", 8e5),
    ],
)
def test_an_absolute_budget(cost: str, text: str, limit: float) -> None:
    request = parse_budget(cost, text)
    assert (request.cost, request.text, request.percent) == (cost, text, None)
    assert request.limit == pytest.approx(limit, rel=1e-12)
    resolved = request.resolve(np.zeros(0))  # costs are not needed
    assert (resolved.cost, resolved.limit) == (cost, request.limit)


@pytest.mark.parametrize(("text", "percent"), [("40%", 40.0), ("100 %", 100.0), ("0.5%", 0.5), ("1e1%", 10.0)])
def test_a_percentile(text: str, percent: float) -> None:
    assert parse_budget("flops", text) == BudgetRequest("flops", text, limit=None, percent=percent)


@pytest.mark.parametrize(
    ("cost", "text", "message"),
    [
        ("latency_ms", "", "--latency-budget must be a number with a unit, such as 5ms or 40% (got '')"),
        ("energy_mj", "5MJ", "--energy-budget has an unknown unit 'MJ'; use one of"),
        ("latency_ms", "ms", "must be a number with a unit, such as 5ms or 40% (got 'ms')"),
        ("latency_ms", "%", "must be a number with a unit, such as 5ms or 40% (got '%')"),
        ("latency_ms", "nan", "must be a number with a unit, such as 5ms or 40% (got 'nan')"),
        ("latency_ms", "inf%", "must be a number with a unit, such as 5ms or 40% (got 'inf%')"),
        ("latency_ms", "5 ms or so", "must be a number with a unit, such as 5ms or 40% (got '5 ms or so')"),
        ("latency_ms", "\u0665ms", "must be a number with a unit, such as 5ms or 40%"),  # an Arabic five
        ("latency_ms", "5", "needs a unit, one of us, µs, ms, s, %, such as 5ms (got '5')"),
        ("latency_ms", "5m", "has an unknown unit 'm'; use one of us, µs, ms, s, % (got '5m')"),
        ("latency_ms", "1,5ms", "has an unknown unit ',5ms'; use one of us, µs, ms, s, % (got '1,5ms')"),
        ("latency_ms", "5%%", "has an unknown unit '%%'"),
        ("latency_ms", "5M", "has an unknown unit 'M'"),
        ("latency_ms", "0ms", "must be a finite number above zero (got '0ms')"),
        ("latency_ms", "-3ms", "must be a finite number above zero (got '-3ms')"),
        ("latency_ms", "-0%", "must be a finite number above zero (got '-0%')"),
        ("latency_ms", "1e400ms", "must be a finite number above zero (got '1e400ms')"),
        ("latency_ms", "1e308s", "must be a finite number above zero (got '1e308s')"),
        ("latency_ms", "1e-323us", "must be a finite number above zero (got '1e-323us')"),
        ("latency_ms", "100.5%", "as a percentile must be at most 100% (got '100.5%')"),
        ("flops", "50", "--flops-budget needs a unit, one of K, M, G, %, such as 50M (got '50')"),
        ("params", "5ms", "has an unknown unit 'ms'; use one of K, M, G, %, or set --latency-budget (got '5ms')"),
        ("energy", "5J", "unknown cost 'energy'; choose from latency_ms, flops, params"),
    ],
)
def test_a_malformed_budget_is_refused_by_what_was_typed(cost: str, text: str, message: str) -> None:
    with pytest.raises(BudgetError, match=re.escape(message)):
        parse_budget(cost, text)


@given(st.sampled_from(sorted(COSTS)), st.text(max_size=12) | st.from_regex(r"[-+0-9.eE]{0,8} ?[a-zA-Z%]{0,3}"))
def test_any_text_is_a_positive_finite_budget_or_refused(cost: str, text: str) -> None:
    try:
        request = parse_budget(cost, text)
    except BudgetError:
        return
    number = request.limit if request.percent is None else request.percent
    assert number is not None
    assert 0 < number < np.inf


def test_the_example_of_each_cost_is_right() -> None:
    for cost, kind in COSTS.items():
        assert parse_budget(cost, kind.example).limit


# Percentiles


@given(st.lists(st.floats(0.1, 1e9), min_size=1, max_size=40), st.floats(0.01, 100))
def test_a_percentile_is_a_value_that_its_share_of_architectures_meets(values: list[float], percent: float) -> None:
    costs = np.array(values)
    budget = BudgetRequest("flops", f"{percent}%", percent=percent).resolve(costs)
    assert budget.limit in values
    met = int((costs <= budget.limit).sum())
    assert met >= 1
    # By the count of steps between values, so that 0% is the smallest and 100% the largest.
    assert (met - 1) >= percent / 100 * (len(values) - 1) - 1e-6


@pytest.mark.parametrize(("percent", "limit"), [("1%", 2.0), ("25%", 2.0), ("26%", 3.0), ("50%", 3.0), ("100%", 5.0)])
def test_percentiles_of_five_values(percent: str, limit: float) -> None:
    assert parse_budget("latency_ms", percent).resolve(VALUES) == Budget("latency_ms", limit)


@pytest.mark.parametrize(("values", "got"), [([], "none"), ([1.0, np.nan], "NaN among them")])
def test_a_percentile_of_nothing_is_refused(values: list[float], got: str) -> None:
    message = f"--latency-budget 40% needs the costs of architectures (got {got})"
    with pytest.raises(BudgetError, match=re.escape(message)):
        parse_budget("latency_ms", "40%").resolve(np.array(values))


# Violations


def test_at_most_zero_is_feasible() -> None:
    assert Budget("latency_ms", 4.0).violation(VALUES).tolist() == [0.25, -0.75, 0.0, -0.5, -0.25]
    assert Budget("params", 4.0).violation(VALUES.astype(np.int64)).tolist() == [0.25, -0.75, 0.0, -0.5, -0.25]


@given(st.lists(st.floats(1e-3, 1e12), min_size=1), st.floats(1e-3, 1e12))
def test_what_is_within_the_limit_is_feasible_and_what_is_above_is_not(values: list[float], limit: float) -> None:
    violation = Budget("flops", limit).violation(np.array(values))
    assert all(excess <= 0 for excess, value in zip(violation, values, strict=True) if value <= limit)
    assert all(excess > 0 for excess, value in zip(violation, values, strict=True) if value > limit * (1 + 1e-12))


def test_a_budget_says_what_it_bounds() -> None:
    assert str(Budget("latency_ms", 3.0)) == "latency at most 3 ms"
    assert str(parse_budget("flops", "50M").resolve(VALUES)) == "FLOPs (multiply-accumulates) at most 50 M"


@pytest.mark.parametrize(
    ("cost", "text", "limit", "written"),
    [
        ("memory_bytes", "2MB", 2e6, "2 MB"),
        ("memory_bytes", "512kb", 512e3, "512 KB"),
        ("memory_bytes", "256KiB", 262_144, "262 KB"),
        ("memory_bytes", "1.5mib", 1_572_864, "1.57 MB"),
        ("energy_mj", "5mJ", 5.0, "5 mJ"),
        ("energy_mj", "0.5J", 500.0, "500 mJ"),
    ],
)
def test_memory_and_energy_have_units_of_their_own(cost: str, text: str, limit: float, written: str) -> None:
    assert parse_budget(cost, text).limit == pytest.approx(limit)
    assert format_cost(cost, limit) == written


def test_the_excess_over_all_budgets_is_a_sum_without_what_is_below() -> None:
    budgets = [Budget("latency_ms", 2.0), Budget("flops", 10.0)]
    costs = {"latency_ms": np.array([1.0, 3.0, 4.0]), "flops": np.array([10.0, 5.0, 20.0])}
    assert total_excess(budgets, costs).tolist() == [0.0, 0.5, 2.0]


def test_what_keeps_all_budgets_keeps_each() -> None:
    costs = {"latency_ms": np.array([1.0, 3.0, 2.0]), "flops": np.array([10.0, 5.0, 20.0])}
    budgets = [Budget("latency_ms", 2.0), Budget("flops", 10.0)]
    assert within(budgets, costs).tolist() == [True, False, False]
    assert within(budgets[:1], costs).tolist() == [True, False, True]
    assert within([], costs).tolist() == [True, True, True]


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("1,5ms", "'1.5ms'"),
        ("raspi4=1,5 ms", "'raspi4=1.5 ms'"),
        ("2,5M", "'2.5M'"),
        ("1,200M", "'1200M', or '1.200M' if that is meant"),
        ("1,2000us", "'1.2000us'"),
    ],
)
def test_a_comma_in_a_number_is_said_with_what_it_may_mean(text: str, right: str) -> None:
    with pytest.raises(BudgetError, match=re.escape(f"takes no comma in a number; write {right} (got {text!r})")):
        BudgetRequests.parse("latency_ms", text)
    assert len(BudgetRequests.parse("latency_ms", "5ms, raspi4=30ms").requests) == 2


def test_bits_are_no_bytes() -> None:
    with pytest.raises(BudgetError, match=re.escape("is in bytes, and Kb may be bits; write KB (got '256Kb')")):
        parse_budget("ram_bytes", "256Kb")
    assert parse_budget("ram_bytes", "256kb").limit == 256e3


def test_a_unit_of_another_cost_names_its_option() -> None:
    with pytest.raises(BudgetError, match=r"unknown unit 'KB'; use one of .*, or set .*--flash-budget"):
        parse_budget("params", "15KB")
    with pytest.raises(BudgetError, match=r"unknown unit 'parsecs'; use one of [^-]* \(got"):
        parse_budget("params", "5parsecs")


def test_an_unknown_cost_with_a_decimal_comma_is_unknown() -> None:
    with pytest.raises(BudgetError, match="unknown cost 'latency'"):
        BudgetRequests.parse("latency", "2,5ms")


def test_a_comma_between_two_costs_is_answered_with_the_semicolon() -> None:
    with pytest.raises(BudgetError, match=r"flops is a cost and no device: .* such as 'latency=5ms; flops=10k'"):
        parse_budget("latency_ms", "flops=10k")
