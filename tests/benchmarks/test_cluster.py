"""The comparison of local workers with workers of a cluster."""

import re

import pytest

from benchmarks.cluster import main


@pytest.mark.slow
def test_it_prints_a_row_for_each_number_of_workers(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("ray")
    assert main(["--tasks", "4", "--seconds", "1", "--workers", "1,2"]) == 0
    rows = capsys.readouterr().out.splitlines()[2:]
    assert [row.split("|")[1].strip() for row in rows] == ["1", "2"]
    assert all(re.fullmatch(r"\| \d+ \| [\d.]+ \| [\d.]+ \| -?[\d.]+% \| (-|[\d.]+) \|", row) for row in rows)
    assert rows[0].endswith("| - |")
