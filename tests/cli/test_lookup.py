"""The command line: results on standard output, one line of error on standard error, and the exit codes."""

import json
import math
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from surrogate_nas.cli.lookup import main
from surrogate_nas.costs.cost import format_cost, format_reachable
from surrogate_nas.lookup.table import LookupTable
from tests.lookup.conftest import METADATA, columns_of


@pytest.fixture(scope="module")
def run(table: LookupTable, tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("run")
    table.write(folder)
    return str(folder)


def test_a_budget_gives_the_best_architecture_a_line_for_each_figure(
    run: str, table: LookupTable, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([run, "--latency-budget", "4ms", "--flops-budget", "50M"]) == 0
    out, err = capsys.readouterr()
    best = table.best(latency_ms=4, flops=50e6)
    assert err == ""
    figures = dict(line.split("  ", 1) for line in out.splitlines())
    assert figures["code"].strip() == best.code
    assert figures["architecture"].strip() == best.architecture
    assert figures["accuracy"].strip() == f"{best.predicted_accuracy_percent:.1f}% predicted with shared weights"
    assert figures["latency"].strip() == format_cost("latency_ms", best.costs["latency_ms"])


def test_the_interval_and_the_conditions_are_the_study_s(
    table: LookupTable, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    known = replace(table.metadata, label_error_percent=3.0, conditions="ONNX Runtime on cpu")
    LookupTable(known, table._columns).write(tmp_path)
    assert main([str(tmp_path), "--latency-budget", "4ms"]) == 0
    best = table.best(latency_ms=4)
    value, half = best.predicted_accuracy_percent, 1.96 * math.hypot(best.accuracy_std_percent, 3.0)
    out = capsys.readouterr().out
    assert f"{value:.1f}% (95%: {max(0, value - half):.1f} to {min(100, value + half):.1f}%)" in out
    assert out.splitlines()[-1].split("  ")[-1] == "ONNX Runtime on cpu"


@pytest.mark.parametrize(("margin", "word"), [(1.1, "predicted"), (1.0, "measured")])
def test_it_says_whether_a_latency_was_measured(
    margin: float, word: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    columns = columns_of(50)
    columns["costs"]["latency_upper_ms"] = margin * columns["costs"]["latency_ms"]
    LookupTable.build(METADATA, **columns).write(tmp_path)
    assert main([str(tmp_path), "--latency-budget", "6ms"]) == 0
    [line] = [one for one in capsys.readouterr().out.splitlines() if one.startswith("latency  ")]
    assert line.endswith(f" ms {word}")


def test_it_says_whether_an_architecture_was_trained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    columns = columns_of(50)
    trained = np.full(50, np.nan)
    trained[np.argmax(columns["score"])] = 75.65
    columns["labels"]["label_trained_percent"] = trained
    table = LookupTable.build(METADATA, **columns)
    table.write(tmp_path)
    assert main([str(tmp_path), "--top", "1"]) == 0
    assert re.search(r"^trained +75\.7%$", capsys.readouterr().out, re.MULTILINE)
    assert main([str(tmp_path), "--top", "2"]) == 0
    assert "  trained  " in capsys.readouterr().out.splitlines()[0]
    below = table.top(1)[0].costs["latency_ms"] * 0.999
    assert main([str(tmp_path), "--latency-budget", f"{below}ms"]) == 0
    assert "no: its accuracy is expected from others" in capsys.readouterr().out


def test_several_stand_in_aligned_columns(run: str, table: LookupTable, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([run, "--top", "3"]) == 0
    heads, *lines = capsys.readouterr().out.splitlines()
    for line, entry in zip(lines, table.top(3), strict=True):
        assert line.startswith(f"{entry.code} ")
        assert line.endswith(entry.architecture)
        assert heads.index("architecture") == line.index(entry.architecture)


def test_a_narrow_terminal_gets_no_line_that_breaks(
    run: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert main([run, "--top", "3"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4
    assert max(map(len, lines)) <= 80
    assert "architecture" not in lines[0].split()


def test_top_and_pareto_list_several(run: str, table: LookupTable, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([run, "--latency-budget", "40%", "--top", "3"]) == 0
    listed = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert listed == ["code", *(entry.code for entry in table.top(3, table.resolve(latency_ms="40%")))]
    assert main([run]) == 0
    front = capsys.readouterr().out
    assert [line.split()[0] for line in front.splitlines()] == ["code", *(entry.code for entry in table.pareto())]
    assert main([run, "--pareto"]) == 0
    assert capsys.readouterr().out == front
    assert main([run, "--pareto", "--latency-budget", "4ms"]) == 0
    assert front.startswith(capsys.readouterr().out.splitlines()[0].split("  ")[0])


def test_json_is_one_object(run: str, table: LookupTable, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([f"{run}/lookup.parquet", "--latency-budget", "4ms", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["budgets"] == {"latency_ms": 4.0}
    assert answer["entries"] == [table.best(latency_ms=4).as_json()]
    assert answer["feasible"] is True


def test_nothing_within_the_budget_ends_with_3_and_the_smallest_cost(
    run: str, table: LookupTable, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([run, "--latency-budget", "1us"]) == 3
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: no architecture meets latency at most 0.001 ms; the smallest reachable is")
    assert err.count("\n") == 1
    assert main([run, "--latency-budget", "1us", "--json"]) == 3
    answer = json.loads(capsys.readouterr().out)
    assert answer["feasible"] is False
    assert answer["smallest_reachable"] == {"latency_ms": table.smallest("latency_ms")}
    assert len(answer["nearest_misses"]) == 3
    code = table.best(latency_ms=4).code
    assert main([run, "--latency-budget", "1us", "--near", code, "--json"]) == 3
    assert json.loads(capsys.readouterr().out) == answer


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--latency-budget", "5"], "--latency-budget needs a unit"),
        (["--latency-budget", "fast"], "--latency-budget must be a number with a unit"),
        (["--params-budget", "1M"], "no parameters; it has FLOPs (multiply-accumulates), latency"),
        (["--top", "0"], "--top"),
        (["--top", "many"], "--top"),
        (["--pareto", "--top", "3"], "--pareto and --top exclude each other"),
        (["--latency", "3ms"], "--latency"),
        (["--latency-budget", ""], "--latency-budget must be a number with a unit"),
        (["--overwrite", "--top", "1"], "--overwrite needs --export"),
        (["more"], "more"),
    ],
)
def test_wrong_usage_ends_with_2_and_one_line(
    options: list[str], message: str, run: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([run, *options]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert message in err
    assert err.count("\n") == 1


def test_no_run_and_no_table_end_with_2_a_damaged_table_with_1(
    run: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([]) == 2
    assert main([str(tmp_path / "none")]) == 2
    (tmp_path / "study.toml").touch()
    assert main([str(tmp_path)]) == 2
    assert "has no lookup table yet; the study writes it" in capsys.readouterr().err
    (tmp_path / "lookup.parquet").write_bytes(Path(run, "lookup.parquet").read_bytes())
    assert main([str(tmp_path)]) == 1
    assert capsys.readouterr().err.startswith("error: the lookup table metadata is missing")


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("surrogate_nas ")


@pytest.mark.posix
def test_as_a_program_it_is_quiet_light_and_stands_a_closed_pipe(run: str) -> None:
    program = (
        "import sys, runpy\n"
        "sys.argv = ['lookup', *sys.argv[1:]]\n"
        "try:\n    runpy.run_module('surrogate_nas.lookup', run_name='__main__')\n"
        "finally:\n    heavy = {'torch', 'optuna', 'sklearn', 'scipy', 'plotly', 'pandas', 'h5py'} & set(sys.modules)\n"
        "    assert not heavy, heavy\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, run, "--latency-budget", "4ms"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    piped = subprocess.run(
        ["bash", "-c", f"'{sys.executable}' -m surrogate_nas.lookup '{run}' | true; exit ${{PIPESTATUS[0]}}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (piped.returncode, piped.stderr) == (0, "")


def test_neighbours_are_listed(run: str, table: LookupTable, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([run, "--near", "0042", "--top", "3"]) == 0
    heads, *lines = capsys.readouterr().out.splitlines()
    assert heads.split()[:2] == ["changes", "code"]
    expected = table.near("0042", 3)
    assert [line.split()[:2] for line in lines] == [[str(len(one.changed)), one.entry.code] for one in expected]
    assert main([run, "--near", "0042", "--top", "3", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["neighbours"] == [one.as_json() for one in expected]
    assert main([run, "--near", table.best().code, "--latency-budget", "100s", "--top", "1"]) == 0
    assert main([run, "--near", "42"]) == 2
    assert "a code of this table has 4 digits" in capsys.readouterr().err


def test_exports(run: str, table: LookupTable, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "pareto.json"
    assert main([run, "--export", "json", str(path), "--latency-budget", "4ms"]) == 0
    assert (
        capsys.readouterr().out == f"{path}: {len(table.pareto(budgets=table.resolve(latency_ms=4)))} architectures\n"
    )
    assert main([run, "--export", "json", str(path)]) == 2
    assert "is in the way" in capsys.readouterr().err
    assert main([run, "--export", "json", str(path), "--overwrite"]) == 0
    for wrong in (["--export", "xml", "x"], ["--export", "json", "x", "--pareto"], ["--near", "0042", "--pareto"]):
        assert main([run, *wrong]) == 2


def test_the_smallest_cost_that_is_named_is_a_budget_that_is_met(
    run: str, table: LookupTable, capsys: pytest.CaptureFixture[str]
) -> None:
    for cost, option in (("latency_ms", "--latency-budget"), ("flops", "--flops-budget")):
        named = format_reachable(cost, table.smallest(cost)).replace(" ", "")
        assert main([run, option, named]) == 0
    capsys.readouterr()


def test_one_architecture_is_shown_by_its_code(run: str, capsys: pytest.CaptureFixture[str]) -> None:
    table = LookupTable.load(run)
    code = table.top(3)[-1].code
    assert main([run, "--arch", code]) == 0
    assert capsys.readouterr().out.splitlines()[0].split()[-1] == code
    assert main([run, "--arch", code, "--json"]) == 0
    assert [one["code"] for one in json.loads(capsys.readouterr().out)["entries"]] == [code]
    for more in (["--top", "2"], ["--latency-budget", "5ms"], ["--near", code], ["--pareto"]):
        assert main([run, "--arch", code, *more]) == 2
        assert "--arch shows one architecture" in capsys.readouterr().err
    assert main([run, "--arch", "x"]) == 2
