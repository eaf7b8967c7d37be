"""Commands read hostile files in a copy of a run."""

from pathlib import Path

import pytest

from benchmarks.breaking.commands import read_by_command


@pytest.mark.posix
@pytest.mark.slow
@pytest.mark.parametrize("name", ["latency-csv", "lookup-json", "onnx", "report"])
def test_a_command_ends_with_a_line_and_a_known_exit_code(broken_run: Path, tmp_path: Path, name: str) -> None:
    result = read_by_command(name, broken_run, tmp_path, 3, seed=0)
    assert result.inputs == 3
    assert result.faults == []
    assert result.accepted + result.refused == 3
