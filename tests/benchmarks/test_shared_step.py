"""Steps of one process next to steps that two share."""

import re

import pytest

from benchmarks.shared_step import main


@pytest.mark.slow
def test_it_prints_a_row_for_each_number_of_processes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--sizes", "2x1x8", "--batch", "8", "--subnets", "2", "--repeats", "1"]) == 0
    rows = capsys.readouterr().out.splitlines()[2:]
    assert [row.split("|")[4].strip() for row in rows] == ["1", "2"]
    assert all(re.fullmatch(r"\| 2 \| 1 \| 8 \| \d \| [\d.]+ \| [\d.]+ \| [\d.]+ \|", row) for row in rows)
    assert rows[0].endswith("| 0.0 |")
    assert not rows[1].endswith("| 0.0 |")


def test_every_process_needs_two_images(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--processes", "1,5", "--batch", "8"]) == 2
    assert "--processes must be 1 to 4, half of --batch (got '1,5')" in capsys.readouterr().err
