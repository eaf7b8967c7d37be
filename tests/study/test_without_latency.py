"""A study whose budgets are on other costs profiles no latency, says so, and can profile it later."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from surrogate_nas.cli.lookup import main as lookup
from surrogate_nas.runs.run_folder import RunFolder
from tests.study.command_words import error_line

RunHere = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tiny: Path, faster: tuple[str, ...], tmp_path: Path, here: RunHere) -> Path:
    """Returns the run folder of a study whose only budget is on multiply-accumulates."""
    folder = tmp_path / "run"
    code, out, errors = here(tiny, "--output-dir", folder, *faster, "--flops-budget", "40%")
    assert code == 0
    assert "latency_ms" not in out  # in the table of costs
    assert "measuring costs" not in errors
    assert "latency: finalists alone are measured, since no budget is on it" in errors
    return folder


@pytest.mark.slow
def test_finalists_alone_are_measured_until_latency_is_asked_for(
    run: Path, here: RunHere, capsys: pytest.CaptureFixture[str]
) -> None:
    facts = json.loads((run / "report.json").read_text(encoding="utf-8"))
    for one in facts["answer"]["finalists"]:
        (latency,) = [cost for cost in one["costs"] if cost["cost"] == "latency_ms"]
        assert latency["predicted"] is None
        assert latency["measured"] > 0
        assert latency["conditions"]
    page = (run / "report.html").read_text(encoding="utf-8")
    assert "Latency, measured</th>" in page
    assert "not predicted" in page
    assert "latency_ms" not in pq.read_schema(run / "lookup.parquet").names
    best = json.loads((run / "best" / "architecture.json").read_text(encoding="utf-8"))
    assert "latency_ms" not in best["costs"]
    assert best["measured_latency_ms"] > 0
    # A lookup by another cost works; one by latency is refused in one line, with a command that helps.
    assert lookup([str(run), "--flops-budget", "60%"]) == 0
    assert "latency" not in capsys.readouterr().out
    assert lookup([str(run), "--latency-budget", "50%"]) == 2
    line = error_line(capsys.readouterr().err)
    assert "the lookup table has no latency, which was measured of the study's finalists alone" in line
    assert f"--output-dir {run} --resume --set hardware.latency=always" in line
    # The command trains nothing again, keeps the answer, and lookups by latency work.
    members = [path.read_bytes() for path in sorted(RunFolder(run).supernets.iterdir())]
    code, out, errors = here("--output-dir", run, "--resume", "--set", "hardware.latency=always")
    assert code == 0
    assert "latency_ms" in out
    assert "latency: finalists alone" not in errors
    assert [path.read_bytes() for path in sorted(RunFolder(run).supernets.iterdir())] == members
    assert json.loads((run / "best" / "architecture.json").read_text(encoding="utf-8"))["code"] == best["code"]
    assert lookup([str(run), "--latency-budget", "50%"]) == 0
    assert "latency" in capsys.readouterr().out
    # What is known stays known.
    shutil.copytree(run, run.parent / "again")
    assert here("--output-dir", run.parent / "again", "--resume", "--set", "hardware.latency=auto", "--quiet")[0] == 0
    assert "latency_ms" in pq.read_schema(run.parent / "again" / "lookup.parquet").names
