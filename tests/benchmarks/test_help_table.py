"""HELP's table: its published rows, and the count of measurements."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.budget_tables import read_budget_tables, score_of_labels
from benchmarks.help_table import JUDGED, MEASUREMENTS, PUBLISHED, REVEALED, answer_table, main, summary
from surrogate_nas.predictor.features.graph_features import path_features
from surrogate_nas.search.trainings.residual import standardised
from surrogate_nas.space.load import load_space

COLUMN = "fewshot3_c5_t15-20_b128_e1000_sbs_seed0"


def test_the_published_rows_are_those_of_the_paper() -> None:
    assert len(PUBLISHED) == 15
    kept = [accuracy for _, _, accuracy, within in PUBLISHED if within]
    assert len(kept) == 10
    assert float(np.mean(kept)) == pytest.approx(70.35, abs=0.3)


@pytest.mark.slow
def test_budgets_are_kept_with_ten_measurements_per_device(shared_data: Path) -> None:
    space = load_space("nasbench201")
    tables = read_budget_tables(
        space,
        shared_data / "nasbench201_supernet_labels.csv",
        COLUMN,
        shared_data / "nasbench201_accuracy.csv",
        shared_data / "nasbench201_latency_ms.csv",
        revealed=REVEALED,
        judged=JUDGED,
    )
    features = standardised(path_features(space, space.canonical(space.all_codes())))
    rows = answer_table(tables, score_of_labels(tables, None, 0), features, 10, 1, 0.0)
    result = summary(rows)
    assert result["budgets_kept"] == 15
    assert max(row.measured for row in rows) <= MEASUREMENTS
    assert result["mean_accuracy_on_published_kept"] > 70.6  # type: ignore[operator]


def test_missing_files_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [f"--{name}={tmp_path / name}.csv" for name in ("labels", "truth", "latency")]
    assert main([*words, "--column", "one"]) == 2
    assert "does not exist" in capsys.readouterr().err
