"""Workers are watched: their faults are counted, and those that hang or die are ended and followed by others."""

from pathlib import Path

import pytest

from benchmarks.breaking.watched import Result, read_hostile_files

FAULT = {"kind": "traceback", "place": "KeyError at x.py:1", "message": "KeyError: 'a'"}


def test_faults_are_counted_by_kind_and_shown_by_place_with_the_smallest_input() -> None:
    outside = {"kind": "file outside: open", "place": "", "message": "", "size": 2}
    result = Result("labels", 10, 4, 3, [{**FAULT, "size": 9}, {**FAULT, "size": 5}, outside])
    assert result.kinds() == {"traceback": 2, "file outside": 1}
    assert result.places()[0] == ("labels: traceback at KeyError at x.py:1 (5 bytes): KeyError: 'a'", 2)


@pytest.mark.posix
@pytest.mark.slow
def test_hostile_files_are_read_and_a_second_call_goes_on(broken_run: Path, tmp_path: Path) -> None:
    first = read_hostile_files("accuracy-csv", broken_run, tmp_path, 20, seed=0)
    assert (first.inputs, first.accepted + first.refused, first.faults) == (20, 20, [])
    second = read_hostile_files("accuracy-csv", broken_run, tmp_path, 30, seed=0)
    assert (second.inputs, second.accepted + second.refused) == (30, 30)
