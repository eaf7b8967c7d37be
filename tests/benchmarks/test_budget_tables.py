"""Tables of the benchmark of budgets, made up."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.budget_tables import read_budget_tables, score_of_labels
from surrogate_nas.errors import SettingsError, TruthError
from surrogate_nas.space.load import load_space
from surrogate_nas.space.space import Space


@pytest.fixture(scope="module")
def space() -> Space:
    return load_space("nasbench201")


@pytest.fixture(scope="module")
def files(space: Space, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder, rng = tmp_path_factory.mktemp("tables"), np.random.default_rng(0)
    codes = space.all_codes()
    digits = space.digits(codes)
    truth = 50 + 5 * space.nonlinear_count(codes) + rng.normal(size=len(codes))
    columns = {
        "labels": {"one": truth + rng.normal(0, 3, len(codes))},
        "truth": {"cifar10_valid": truth - 1, "cifar10_test": truth},
        "latency": {"phone": 1 + rng.random(len(codes)) + codes.sum(axis=1) / 10, "board": 1 + rng.random(len(codes))},
    }
    paths = {}
    for name, table in columns.items():
        paths[name] = folder / f"{name}.csv"
        order = rng.permutation(len(codes))  # rows of files come in any order
        rows = [f"{digits[row]}," + ",".join(f"{values[row]:.4f}" for values in table.values()) for row in order]
        paths[name].write_text("code," + ",".join(table) + "\n" + "\n".join(rows) + "\n")
    return paths


def read(space: Space, files: dict[str, Path], column: str = "one", judged: str = "cifar10_test"):  # type: ignore[no-untyped-def]  # noqa: ANN201
    return read_budget_tables(
        space, files["labels"], column, files["truth"], files["latency"], revealed="cifar10_valid", judged=judged
    )


@pytest.mark.slow
def test_rows_are_in_the_order_of_the_space(space: Space, files: dict[str, Path]) -> None:
    tables = read(space, files)
    first = dict(line.split(",")[:2] for line in files["latency"].read_text().splitlines()[1:])
    digits = space.digits(space.all_codes())
    assert tables.latency_ms["phone"][[5, 777]].tolist() == [float(first[digits[5]]), float(first[digits[777]])]
    assert tables.truth_percent - tables.revealed_percent == pytest.approx(np.ones(space.size), abs=1e-3)


@pytest.mark.slow
def test_the_score_is_one_per_class_and_follows_the_labels(space: Space, files: dict[str, Path]) -> None:
    tables = read(space, files)
    score = score_of_labels(tables, None, 0)
    classes = space.index(space.canonical(space.all_codes()))
    assert score == pytest.approx(score[classes])
    assert np.corrcoef(score, tables.truth_percent)[0, 1] > 0.6


@pytest.mark.slow
def test_what_is_missing_is_said(space: Space, files: dict[str, Path]) -> None:
    with pytest.raises(TruthError, match="'two'"):
        read(space, files, "two")
    with pytest.raises(SettingsError, match="--train must be between 1 and the number of labels"):
        score_of_labels(read(space, files), 99_999, 0)
