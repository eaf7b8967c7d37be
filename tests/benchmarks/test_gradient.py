"""The benchmark of searches by gradients, on made-up images and accuracies."""

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.gradient import ROWS, gradient_settings, main
from benchmarks.learned_votes import read_votes
from surrogate_nas.errors import SettingsError
from surrogate_nas.space.load import load_space


@pytest.fixture
def inputs(photos: Path, tmp_path: Path) -> list[str]:
    space = load_space("quick")
    codes = space.all_codes()
    percent = 50 + 3 * space.nonlinear_count(codes) + np.random.default_rng(0).random(len(codes))
    rows = zip(space.digits(codes), percent.tolist(), strict=True)
    truth = tmp_path / "truth.csv"
    truth.write_text("code,cifar10_test\n" + "".join(f"{code},{value:.4f}\n" for code, value in rows))
    tiny = [
        "--image-size",
        "8",
        "--channels",
        "4",
        "--space",
        "quick",
        "--supernet-set",
        "batch_size=8",
        "--set",
        "candidates=3",
    ]
    return ["--data", str(photos), "--truth", str(truth), *tiny]


@pytest.mark.slow
def test_every_row_has_its_figures(inputs: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*inputs, "--rows", "darts,setn,enas", "--steps", "2", "--seeds", "2", "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["row"] for row in rows] == ["darts", "setn", "enas"]
    for row in rows:
        assert (row["seeds"], row["steps"]) == (2, 2)
        assert row["truth_low"] <= row["truth"] <= row["truth_high"]
        assert 0 <= row["regret"] < 40
        assert row["best10"] >= 50
        assert -1 <= row["tau"] <= 1
        assert 0 <= row["skips"] <= 3
        assert row["cuts"] == 0
        assert 0.9 < row["entropy"] <= 1.001  # two steps change little
        assert row["minutes"] > 0


@pytest.mark.slow
def test_a_table_follows_the_references(inputs: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*inputs, "--rows", "rsps", "--minutes", "0.01"]) == 0
    lines = capsys.readouterr().out.splitlines()
    # The largest blocks everywhere have most nonlinear functions, and so the best truth here.
    assert lines[0].removeprefix("optimum: ") == lines[3].removeprefix("most effective parameters: ")
    assert lines[1] > "random architecture, mean: 50"
    assert lines[-1].startswith("| rsps | 1 |")


@pytest.mark.parametrize(
    ("row", "count"), [("gdas@edge", 3), pytest.param("darts@gradient", 4, marks=pytest.mark.slow)]
)
def test_leaves_of_a_split_stand_next_to_the_picked_one(
    inputs: list[str], row: str, count: int, capsys: pytest.CaptureFixture[str]
) -> None:
    line = ["--rows", row, "--set", "parent_share=0.5", "--steps", "4", "--json", "--labels", "8"]
    assert main([*inputs, *line]) == 0
    found = json.loads(capsys.readouterr().out)
    [leaves], [picked] = found["leaves"], found["picked"]
    assert len(leaves) == count
    assert found["truth"] == pytest.approx(leaves[picked])
    assert found["oracle"] == max(leaves) >= found["truth"]
    assert found["leaves_mean"] == pytest.approx(np.mean(leaves))
    if row == "gdas@edge":
        assert -1 <= found["labels_tau"] <= 1
    else:
        assert found["labels_tau"] is None  # its weights were trained in mixtures


def test_log_probabilities_are_written_for_the_benchmark_of_the_predictor(
    inputs: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "votes"
    assert main([*inputs, "--rows", "darts", "--steps", "2", "--first-seed", "3", "--votes", str(folder)]) == 0
    capsys.readouterr()
    space = load_space("quick")
    votes = read_votes(folder / "darts-3.csv", space)
    codes = space.all_codes()
    assert len(votes.codes) == len(np.unique(space.canonical(codes[space.is_connected(codes)]), axis=0))


def test_the_short_mode_runs_the_rows_of_the_papers(inputs: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*inputs, "--short", "--rows", "snas@edge,rsps@gradient", "--set", "split_rounds=1"]) == 2
    assert "split_rounds has no effect with split = 'edge'" in capsys.readouterr().err
    assert main([*inputs, "--short", "--rows", "snas@edge"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("| snas@edge | 1 |") for line in lines)
    assert lines[-1].startswith("snas@edge, seed 1, truth of all leaves, the picked one in bold: ")
    assert lines[-1].count("**") == 2
    assert {row.partition("@")[2] for row in ROWS} == {"", "edge", "gradient"}
    assert all(gradient_settings(row, []).learns for row in ROWS)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--rows", "darts", "--steps", "2", "--minutes", "1"], "give one of --steps, --minutes and --short"),
        (["--rows", "drats", "--steps", "2"], "--rows takes some of darts, darts2"),
        (["--rows", "darts@edges", "--steps", "2"], "such as darts@edge or rsps@gradient (got 'darts@edges')"),
        (["--rows", "darts@nonlinear", "--steps", "2"], "weights_see = 'mixture' does not go with it"),
        (["--short", "--seeds", "2"], "leave --seeds out"),
        (["--rows", "gdas", "--steps", "2", "--set", "order=2"], "order = 2 needs distribution_sees"),
        (
            ["--rows", "pcdarts", "--steps", "2", "--set", "partial_channels=3"],
            "gradient.partial_channels = 3 does not fit",
        ),
    ],
)
def test_wrong_usage_is_one_line(
    inputs: list[str], more: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*inputs, *more]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_settings_are_those_of_the_row_with_changes() -> None:
    settings = gradient_settings("snas", ["begins=0.5", "weights_see=uniform"])
    assert (settings.row.begins, settings.row.weights_see, settings.row.distribution_sees) == (0.5, "uniform", "gumbel")
    with pytest.raises(SettingsError, match="--set needs key=value"):
        gradient_settings("snas", ["begins"])
