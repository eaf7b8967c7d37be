"""Lines about devices."""

from pathlib import Path

import numpy as np
import pytest

from surrogate_nas.cli.benches.result_lines import Said, check_lines, compare_winners, say_predicted
from surrogate_nas.deploy import winners
from surrogate_nas.deploy.winners import ComparedLatency
from surrogate_nas.errors import InfeasibleBudgetError
from surrogate_nas.hardware.tables.table_check import ColumnCheck, TableCheck
from surrogate_nas.hardware.transfer import device_results
from surrogate_nas.hardware.transfer.device_results import RemoteResults
from surrogate_nas.space.load import load_space


def test_a_check_names_what_is_not_read_and_what_is_missing() -> None:
    column = ColumnCheck("phone", smallest=1.0, median=25_680.1, largest=98_888.0)
    check = TableCheck(Path("t.csv"), 1, columns=[column], ignored=["", "note"])
    assert list(check_lines(check))[1:] == [
        "phone: 1 to 98,888, median 25,680: good",
        "not read, as they hold texts or numbers of rows: (without a name), note",
    ]
    assert list(check_lines(TableCheck(Path("t.csv"), 1)))[-1] == (
        "no column of latencies; add one per device, in milliseconds"
    )


def test_a_name_in_a_file_makes_no_line_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    name = "phone\ngood: 54 rows"
    check = TableCheck(Path("t.csv"), 1, columns=[ColumnCheck(name, examples=[name])], ignored=[name], examples=[name])
    assert not any("\n" in line for line in check_lines(check))
    space = load_space("quick")
    values = np.arange(1.0, 1 + space.size)
    facts = {"relative_error": 0.1, "drift": 0.0, "dtype": "float32\nbudget 1 ms: 100% meet it"}
    said = Said(space, "phone", Path("t.parquet"), facts, values, None, as_json=False)
    say_predicted(said, np.zeros(9), 0.95)
    assert len(capsys.readouterr().out.splitlines()) == 3


@pytest.mark.parametrize("as_json", [False, True])
def test_a_margin_that_makes_predictions_useless_is_a_warning(
    as_json: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    space = load_space("quick")
    values, facts = np.arange(1.0, 1 + space.size), {"relative_error": 0.1, "drift": 0.0}
    for error, warned in ((0.2, False), (0.6, True)):
        errors = np.full(9, error)
        say_predicted(Said(space, "phone", Path("t.parquet"), facts, values, None, as_json), errors, 0.95)
        said = capsys.readouterr().err
        assert ("warning: a margin of 60% is large, so these predictions are of little use" in said) == warned


@pytest.mark.parametrize("best", [4.0, 6.0])
def test_finalists_stand_in_a_table(
    best: float, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = [
        ComparedLatency("12", 3.0, 5.0, 6.0),
        ComparedLatency("3", 2.0, 5.0, best),
        ComparedLatency("4", 1, 5, None, noisy=True),
        ComparedLatency("5", 1, 5, None),
    ]
    measured = RemoteResults("phone", np.zeros((2, 1), np.int8), np.ones(2), 1, 0.0, {})
    space = load_space("quick")
    monkeypatch.setattr(
        winners, "read_winners", lambda _run: winners.Winners(space, space.network, 1, (), measured.codes)
    )
    monkeypatch.setattr(winners, "compared", lambda *_: found)
    monkeypatch.setattr(device_results, "read_results", lambda *_args, **_words: measured)
    if best > 5:
        with pytest.raises(InfeasibleBudgetError, match=r"no finalist of run keeps its .*--latency-budget 2\.5ms"):
            compare_winners(Path("run"), Path("results.csv"), as_json=False)
    else:
        compare_winners(Path("run"), Path("results.csv"), as_json=False)
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split() == ["12", "3", "ms", "6", "ms", "5", "ms", "over", "the", "budget"]
    assert lines[3].endswith("never settled")
    assert lines[4].endswith("not in the results")
    assert (lines[-1] == "best finalist within the budget on phone: 3") == (best < 5)
