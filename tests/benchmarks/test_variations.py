"""Ways to choose what is trained, on a space of known accuracies."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.variations import ROWS, SHARES, Trained, gap, main, read_trained
from surrogate_nas.space.load import load_space

SPACE = load_space("nasbench201")
NAMED = ("303101", "313131", "000100")


def table_of(path: Path) -> Path:
    """Writes accuracies that grow with the number of convolutions, and a little noise."""
    codes = SPACE.all_codes()
    noise = np.random.default_rng(0).normal(size=(2, len(codes)))
    accuracy = np.clip(50 + 5 * np.isin(codes, (2, 3)).sum(axis=1) + noise, 0, 100)
    lines = [f"{code},{one:.2f},{other:.2f}" for code, one, other in zip(SPACE.digits(codes), *accuracy, strict=True)]
    path.write_text("\n".join(["code,valid,test", *lines]) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return read_trained(SPACE, table_of(tmp_path_factory.mktemp("truth") / "truth.csv"), "valid", "test", NAMED)


@pytest.mark.parametrize("name", ROWS)
def test_each_way_trains_as_many_networks_within_the_budget(trained: Trained, name: str) -> None:
    limit = float(np.quantile(trained.cost, 0.6))
    rows = list(ROWS[name](trained, limit, 8, np.random.default_rng(1)))
    assert len(rows) == 8
    assert (trained.cost[rows] <= limit).all()
    assert rows == list(ROWS[name](trained, limit, 8, np.random.default_rng(1)))
    assert gap(trained, limit, 8, ROWS[name], 1) >= 0


def test_rows_belong_to_their_codes(trained: Trained) -> None:
    some = [3, 1000, 14000]
    assert trained.rows_of(trained.codes[some]).tolist() == some
    assert SPACE.digits(trained.codes[list(trained.named)]) == list(NAMED)


def test_variations_are_of_the_better_of_two_and_near(trained: Trained) -> None:
    limit = float(np.quantile(trained.cost, 0.8))
    first, second, *rest = ROWS["near variations of the better, or of both if they are close"](
        trained, limit, 8, np.random.default_rng(0)
    )
    better = first if trained.validation[first] > trained.validation[second] else second
    changed = (trained.codes[rest] != trained.codes[better]).sum(axis=1)
    assert np.median(changed) <= SPACE.num_decisions / 3  # edges that lead nowhere change, too


def test_the_table_has_a_row_for_each_way(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    truth = table_of(tmp_path / "truth.csv")
    columns = ["--validation", "valid", "--test", "test", "--seeds", "2"]
    assert main(["--truth", str(truth), *columns, "--named", "303101,000100"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 + len(ROWS)
    assert all(line.count("|") == 2 + len(SHARES) for line in lines)
    assert main(["--truth", str(truth), *columns, "--named", "333333"]) == 2
    assert "name a smaller one" in capsys.readouterr().err
