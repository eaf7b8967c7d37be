"""The command line: what it prints where, and its exit codes."""

import json
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from surrogate_nas._support.files import read_json
from surrogate_nas.runs.settings import StudySettings
from surrogate_nas.space.load import load_space

RunHere = Callable[..., tuple[int, str, str]]


# Help, version, dry run


def test_nothing_slow_is_imported_before_there_is_something_to_run() -> None:
    program = """
import sys
from surrogate_nas.cli.study import main
calls = [["--help"], ["--version"], ["quickstart", "--dry-run"], ["nosuch"], ["--set", "supernet.stepz=1"]]
codes = [main(call + ["--output-dir", "/nowhere"] if call[0][:3] == "qui" else call) for call in calls]
slow = {"torch", "torchvision", "torch_geometric", "optuna", "sklearn", "scipy", "h5py", "pyarrow", "plotly"}
print(codes, sorted(slow & set(sys.modules)), file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr.splitlines()[-1] == "[0, 0, 0, 2, 2] []"


def test_a_dry_run_prints_the_whole_study(here: RunHere, tmp_path: Path, tiny: Path) -> None:
    code, out, errors = here(tiny, "--dry-run", "--output-dir", tmp_path / "run", "--flops-budget", "50M", "--seed", 7)
    assert (code, errors) == (0, "")
    content = tomllib.loads(out)
    assert (content["name"], content["seed"], content["supernet"]["steps"]) == ("tiny", 7, 40)
    assert content["budget"] == {"flops": "50M", "also": []}
    assert StudySettings.model_validate(content).predictor.folds == 2
    assert not (tmp_path / "run").exists()
    code, out, _ = here(tiny, "--dry-run", "--json", "--flops-budget", "50M", "--seed", 7)
    assert StudySettings.model_validate_json(out) == StudySettings.model_validate(content)


def test_later_words_override_earlier_ones(here: RunHere, tiny: Path, tmp_path: Path) -> None:
    words = ("--set", "seed=3", "--set", "seed=4", "--latency-budget", "none")
    content = tomllib.loads(here(tiny, "--dry-run", *words)[1])
    assert (content["seed"], content["budget"]) == (4, {"also": []})
    content = tomllib.loads(here(tiny, "--dry-run", "--data", tmp_path, "--set", "data.flip=false")[1])
    assert content["data"]["source"], content["data"]["path"] == ("folder", str(tmp_path))
    assert content["data"]["flip"] is False
    own = tmp_path / "own.toml"
    own.write_text(f'[data]\nsource = "folder"\npath = "{tmp_path}"\n', encoding="utf-8")
    assert "path" not in tomllib.loads(here(own, "--dry-run", "--data", "digits")[1])["data"]


def test_a_dry_run_looks_at_the_latency_table(here: RunHere, tiny: Path, tmp_path: Path) -> None:
    code, out, errors = here(tiny, "--dry-run", "--latency-table", tmp_path / "missing.csv")
    assert (code, out) == (2, "")
    assert "missing.csv" in errors
    table = tmp_path / "table.csv"
    codes = load_space("nasbench201").digits(load_space("nasbench201").all_codes())
    table.write_text("code,phone\n" + "".join(f"{code},{5 + n % 7}\n" for n, code in enumerate(codes)))
    assert here(tiny, "--dry-run", "--latency-table", table, "--device", "phone")[0] == 0
    code, _, errors = here(tiny, "--dry-run", "--latency-table", table, "--device", "tablet")
    assert code == 2
    assert "unknown device" in errors


# Where things are printed


def test_results_go_to_standard_output_and_progress_to_standard_error(finished_command: tuple[Path, str, str]) -> None:
    folder, out, errors = finished_command
    assert "Costs of the 15,284 connected architectures of nasbench201" in out
    assert "Budget met: tiny" in out
    assert f"train it: python -m surrogate_nas.train {folder}\n" in out
    assert f"another budget: python -m surrogate_nas.lookup {folder} --latency-budget 20%\n" in out
    assert "\x1b" not in out + errors
    lines = errors.splitlines()
    for line in ("images ...", "supernets (2 x 40 steps) ...", "predictor ...", "report ..."):
        assert lines.count(line) == 1
        assert line not in out
    # The costs stand before the training, in the log as well.
    log = (folder / "log.txt").read_text(encoding="utf-8")
    assert log.index("Costs of") < log.index("supernets (2 x 40 steps): started")


def test_json_is_one_object_and_the_report(run_copy: Path, here: RunHere) -> None:
    code, out, errors = here("--output-dir", run_copy, "--resume", "--json")
    assert code == 0
    assert json.loads(out) == read_json(run_copy / "report.json", "report", "run again")
    assert "Budget met: tiny" in errors


@pytest.mark.slow
def test_quiet_leaves_results_only(run_copy: Path, here: RunHere) -> None:
    code, out, errors = here("--output-dir", run_copy, "--resume", "--quiet")
    assert code == 0
    assert "Budget met: tiny" in out
    # Warnings are shown in any case; the tiny study has one.
    assert [line[:40] for line in errors.splitlines()] == ["warning: a label will rest on 60 validat"]
    code, out, again = here("--output-dir", run_copy, "--resume", "--quiet", "--json")
    assert (code, again) == (0, errors)
    json.loads(out)


@pytest.mark.slow
def test_a_reader_that_goes_away_ends_no_study(run_copy: Path) -> None:
    line = [sys.executable, "-m", "surrogate_nas.study", "--output-dir", str(run_copy), "--resume"]
    (run_copy / "report.html").unlink()
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        errors = process.stderr.read()
    assert process.returncode == 0, errors
    assert (run_copy / "report.html").exists()


def test_a_dry_run_sees_that_the_images_are_missing(tiny: Path, here: RunHere) -> None:
    code, _, errors = here(tiny, "--dry-run", "--data", "nowhere")
    assert code == 2
    assert "the folder of images does not exist" in errors
