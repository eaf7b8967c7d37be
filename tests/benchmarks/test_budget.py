"""The benchmark of budgets on made-up tables."""

import json

import numpy as np
import pytest

from benchmarks.budget import Row, main, parse_percentiles, summary
from surrogate_nas.errors import SettingsError
from surrogate_nas.space.load import load_space


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    space, rng = load_space("nasbench201"), np.random.default_rng(0)
    folder = tmp_path_factory.mktemp("tables")
    codes = space.all_codes()
    truth = 50 + 5 * space.nonlinear_count(codes) + rng.normal(size=len(codes))
    columns = {
        "labels": {"one": truth + rng.normal(0, 3, len(codes))},
        "truth": {"cifar10_valid": truth, "cifar10_test": truth},
        "latency": {"phone": 1 + codes.sum(axis=1) / 10, "board": 1 + rng.random(len(codes))},
    }
    for name, table in columns.items():
        stacked = np.column_stack(list(table.values()))
        lines = [
            f"{code}," + ",".join(f"{value:.4f}" for value in row)
            for code, row in zip(space.digits(codes), stacked.tolist(), strict=True)
        ]
        (folder / f"{name}.csv").write_text("code," + ",".join(table) + "\n" + "\n".join(lines) + "\n")
    options = [word for name in columns for word in (f"--{name}", str(folder / f"{name}.csv"))]
    return [*options, "--column", "one"]


@pytest.mark.slow
def test_json_has_the_figures_and_a_row_per_budget(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*words, "--percentiles", "20,80", "--trainings", "5", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert {"mean_regret", "worst_regret", "budgets_kept", "rows"} <= result.keys()
    assert len(result["rows"]) == result["budgets"] == result["budgets_kept"] == 4
    assert result["hits"] == 1
    regrets = [row["regret"] for row in result["rows"]]
    assert result["mean_regret"] == pytest.approx(np.mean(regrets))
    assert result["worst_regret"] == max(regrets) >= 0
    assert all(row["latency_ms"] <= row["limit_ms"] for row in result["rows"])


@pytest.mark.slow
def test_the_table_names_its_rows(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*words, "--devices", "phone", "--percentiles", "50", "--sampler", "random", "--trainings", "0"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].startswith("phone")
    assert lines[-1].startswith("mean regret")


def test_broken_budgets_are_counted_and_gain_nothing() -> None:
    rows = [
        Row(0, "a", 20, 1.0, "000000", 0.9, True, 90.0, 91.0, 1.0, True),
        Row(0, "a", 50, 2.0, "000001", 2.5, False, 95.0, 92.0, 0.0, True),
    ]
    made = summary(rows)
    assert (made["budgets_kept"], made["mean_regret"], made["mean_regret_low"]) == (1, 0.5, None)


@pytest.mark.quick_cases(2)
@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--devices", "watch"], "unknown device 'watch'; choose from phone, board"),
        (["--percentiles", "20,x"], "numbers separated by commas"),
        (["--sampler", "magic"], "'magic'; choose from"),
        (["--column", "two"], "'two'"),
        (["--latency-samples", "5"], "--latency-samples must be between"),
    ],
)
def test_impossible_requests_end_with_an_error(
    words: list[str], capsys: pytest.CaptureFixture[str], more: list[str], message: str
) -> None:
    assert main([*words, *more]) == 2
    assert message in capsys.readouterr().err


def test_percentiles_are_in_range() -> None:
    assert parse_percentiles("20, 50") == [20.0, 50.0]
    with pytest.raises(SettingsError, match="above 0"):
        parse_percentiles("0")
