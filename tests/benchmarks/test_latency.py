"""The benchmark of predicted latencies, on made-up devices of a chain of layers."""

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.latency import Row, main, picks, predict_by_pieces, summarize
from benchmarks.latency_tables import LAYERS, read_devices
from surrogate_nas.space.load import load_space


@pytest.fixture
def table(tmp_path: Path) -> Path:
    codes = np.random.default_rng(0).integers(0, 3, (300, 5))
    codes = np.unique(codes, axis=0)
    steady = 3 + np.array([0.1, 1, 2])[codes].sum(axis=1)
    rows = ["code,steady,shaky"]
    noise = np.random.default_rng(1).lognormal(0, 0.05, len(codes))
    rows += ["".join(map(str, c)) + f",{s:.4f},{s * n:.4f}" for c, s, n in zip(codes, steady, noise, strict=True)]
    path = tmp_path / "table.csv"
    path.write_text("\n".join(rows) + "\n")
    return path


@pytest.mark.slow
def test_a_row_per_device(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--table", str(table), "--space", LAYERS, "--measured", "40", "--json"]) == 0
    shaky, steady = json.loads(capsys.readouterr().out)
    assert (shaky["device"], steady["device"]) == ("shaky", "steady")
    assert steady["median_relative_error"] < 0.005 < shaky["median_relative_error"] < 0.06
    assert steady["kendall_tau"] > 0.99
    assert steady["spearman"] > 0.99
    assert shaky["caution"] > steady["caution"]
    assert steady["budgets_kept"] == 1


def test_the_table_ends_with_means_and_ridge_regression_is_there_to_compare(
    table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--table", str(table), "--space", LAYERS, "--measured", "20", "--method", "ridge", "--design", "random"]
    assert main(words) == 0
    assert [line.split("  ")[0] for line in capsys.readouterr().out.splitlines()[3:]] == [
        "mean, for choosing",
        "mean, for reporting",
        "mean",
    ]


def test_picks_are_held_against_the_truth(table: Path) -> None:
    loaded = read_devices(table, LAYERS)
    truth = loaded.latency_ms["steady"]
    accuracy = truth / truth.max() * 90  # slower is better
    perfect = picks(loaded, truth, truth, truth, accuracy)
    assert perfect == {"budgets_kept": 1.0, "picks": 3, "accuracy_lost": 0.0}
    bold = picks(loaded, truth, truth * 0.8, truth * 0.8, accuracy)
    assert bold["budgets_kept"] == 0
    timid = picks(loaded, truth, truth * 1.2, truth, accuracy)
    assert timid["budgets_kept"] == 1
    assert timid["accuracy_lost"] is not None
    assert float(timid["accuracy_lost"]) > 0
    assert picks(loaded, truth, truth * 100, truth, None) == {"budgets_kept": None, "picks": 0, "accuracy_lost": None}


def test_budgets_of_devices_are_averaged_by_picks() -> None:
    rows: list[Row] = [
        {"device": "a", "budgets_kept": 1.0, "picks": 3, "kendall_tau": 0.9},
        {"device": "b", "budgets_kept": 0.0, "picks": 1, "kendall_tau": 0.7},
        {"device": "c", "budgets_kept": None, "picks": 0, "kendall_tau": 0.8},
    ]
    mean = summarize(rows, "mean")
    assert (mean["budgets_kept"], mean["picks"]) == (0.75, 4)
    assert mean["kendall_tau"] == pytest.approx(0.8)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--measured", "5"], "--measured must be between 10 and"),
        (["--confidence", "95"], "a confidence must be at least 0.5 and below 1"),
        (["--method", "magic"], "'magic' is not one of 'views', 'ridge'"),
        (["--truth", "x.csv"], "--truth needs a --space"),
        (["--devices", "phone"], "unknown device 'phone'"),
    ],
)
def test_impossible_requests_are_one_line(
    table: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    assert main(["--table", str(table), "--space", LAYERS, *words]) == 2
    assert message in capsys.readouterr().err


@pytest.fixture
def chain(tmp_path: Path) -> Path:
    """A table of a device on which a layer of FBNet's space costs the more the later its operation is listed."""
    space = load_space("fbnet")
    codes = np.unique(space.sample(60, np.random.default_rng(0)), axis=0)
    lines = [f"{code},{5 + 0.1 * row.sum():.3f}" for code, row in zip(space.digits(codes), codes, strict=True)]
    path = tmp_path / "chain.csv"
    path.write_text("\n".join(["code,device", *lines]) + "\n", encoding="utf-8")
    return path


def test_a_table_of_some_rows_is_read_as_a_study_reads_it(chain: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--table", str(chain), "--measured", "40", "--method", "table", "--design", "random", "--json"]
    assert main([*words, "--space", "fbnet"]) == 0
    [row] = json.loads(capsys.readouterr().out)
    assert row["views"] == "table"
    assert row["median_relative_error"] < 0.02
    assert main([*words, "--space", LAYERS]) == 2
    assert "--method table needs a --space by name or path" in capsys.readouterr().err


def test_sums_of_pieces_are_corrected_by_the_measured_networks() -> None:
    groups = np.random.default_rng(0).uniform(1, 2, (50, 3))
    truth = groups @ [3.0, 1.0, 0.5]
    fit = predict_by_pieces(groups, np.ones(50))(np.arange(20), truth)
    np.testing.assert_allclose(fit.predicted_ms, truth, rtol=1e-6)
    assert fit.views == ("factor per group",)


def test_pieces_need_networks(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--table", str(table), "--space", LAYERS, "--measured", "20", "--method", "pieces"]) == 2
    assert "--method pieces needs a --space that has networks" in capsys.readouterr().err
