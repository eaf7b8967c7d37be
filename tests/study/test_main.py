"""The command line: what it prints where, its exit codes, and that wrong input costs one line and changes nothing."""

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
import pytest
from filelock import FileLock
from PIL import Image

from surrogate_nas.space.load import load_space
from surrogate_nas.study.settings import StudySettings

RunHere = Callable[..., tuple[int, str, str]]
Run = Callable[..., subprocess.CompletedProcess[str]]
Contents = Callable[[Path], dict[str, bytes]]


def error_line(errors: str) -> str:
    """The one line of an error, which is the last one."""
    assert "Traceback" not in errors
    (line,) = [line for line in errors.splitlines() if line.startswith("error: ")]
    assert errors.splitlines()[-1] == line
    return line


# Help, version, dry run


def test_nothing_slow_is_imported_before_there_is_something_to_run() -> None:
    program = """
import sys
from surrogate_nas.study.__main__ import main
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
    words = ("--set", "seed=3", "--seed", 4, "--set", "budget.latency=9ms", "--latency-budget", "none")
    content = tomllib.loads(here(tiny, "--dry-run", *words)[1])
    assert (content["seed"], content["budget"]) == (4, {"also": []})
    content = tomllib.loads(here(tiny, "--dry-run", "--data", tmp_path, "--set", "data.flip=false")[1])
    assert content["data"]["source"], content["data"]["path"] == ("folder", str(tmp_path))
    assert content["data"]["flip"] is False
    own = tmp_path / "own.toml"
    own.write_text(f'[data]\nsource = "folder"\npath = "{tmp_path}"\n', encoding="utf-8")
    assert "path" not in tomllib.loads(here(own, "--dry-run", "--data", "digits")[1])["data"]


# Where things are printed


def test_results_go_to_standard_output_and_progress_to_standard_error(finished_command: tuple[Path, str, str]) -> None:
    folder, out, errors = finished_command
    assert "Costs over the 15,284 connected architectures of nasbench201" in out
    assert "Budget met: tiny" in out
    assert str(folder / "report.html") in out
    assert "\x1b" not in out + errors
    lines = errors.splitlines()
    for line in ("images ...", "supernets (2 x 40 steps) ...", "predictor ...", "report ..."):
        assert lines.count(line) == 1
        assert line not in out
    assert lines[-2] == f"another budget:  python -m surrogate_nas.lookup {folder} --latency-budget 20%"
    assert lines[-1] == f"the search:      optuna-dashboard {folder / 'search.journal'}"
    # The costs stand before the training, in the log as well.
    log = (folder / "log.txt").read_text(encoding="utf-8")
    assert log.index("Costs over") < log.index("supernets (2 x 40 steps): begun")


def test_json_is_one_object_and_the_report(run_copy: Path, here: RunHere) -> None:
    code, out, errors = here("--output-dir", run_copy, "--resume", "--json")
    assert code == 0
    assert json.loads(out) == json.loads((run_copy / "report.json").read_text(encoding="utf-8"))
    assert "Budget met: tiny" in errors


def test_quiet_leaves_results_only(run_copy: Path, here: RunHere) -> None:
    code, out, errors = here("--output-dir", run_copy, "--resume", "--quiet")
    assert (code, errors) == (0, "")
    assert "Budget met: tiny" in out
    code, out, errors = here("--output-dir", run_copy, "--resume", "--quiet", "--json")
    assert (code, errors) == (0, "")
    json.loads(out)


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


# The run folder


def test_resuming_without_a_change_gives_the_same(run_copy: Path, here: RunHere, contents: Contents) -> None:
    before = contents(run_copy)
    code, _, errors = here("--output-dir", run_copy, "--resume")
    assert code == 0
    after = contents(run_copy)
    # What says when and how long may differ, and so may the page that shows it.
    told = {"state.json", "report.json", "report.html", "environment.json", "search.journal"}
    other = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    assert {name for name in other if not name.startswith("artifacts/")} <= told
    # The search's note has the last command, and its copy of the report replaces the one before.
    assert len(other) <= len(told) + 1
    for line in ("supernets: trained already", "labels: all ", "predictor: fitted already"):
        assert line in errors
    assert "supernets (2 x 40 steps)" not in errors


def test_another_budget_neither_trains_nor_labels(run_copy: Path, here: RunHere) -> None:
    kept = [run_copy / name for name in ("supernets", "labels.h5", "predictor", "images", "costs.parquet")]
    before = [path.stat().st_mtime_ns for path in kept]
    state = json.loads((run_copy / "state.json").read_text(encoding="utf-8"))["stages"]
    chosen = json.loads((run_copy / "best" / "architecture.json").read_text(encoding="utf-8"))
    code, _, errors = here("--output-dir", run_copy, "--resume", "--flops-budget", "5%")
    assert code == 0
    assert [path.stat().st_mtime_ns for path in kept] == before
    assert "supernets: trained already" in errors
    again = json.loads((run_copy / "state.json").read_text(encoding="utf-8"))["stages"]
    assert again["predictor"] == state["predictor"]
    assert again["supernets"]["seconds"] == pytest.approx(state["supernets"]["seconds"], abs=1)
    other = json.loads((run_copy / "best" / "architecture.json").read_text(encoding="utf-8"))
    assert other["budgets"]["flops"] < chosen["budgets"]["flops"]
    assert other["costs"]["flops"] <= other["budgets"]["flops"]
    assert tomllib.loads((run_copy / "study.toml").read_text(encoding="utf-8"))["budget"]["flops"] == "5%"


def test_more_labels_and_another_predictor_keep_what_was_labelled(run_copy: Path, here: RunHere) -> None:
    words = ("--set", "labels.count=44", "--set", "predictor.steps=10", "--set", "compute.processes=1")
    with h5py.File(run_copy / "labels.h5") as file:
        before = file["accuracy_percent"][:]
    code, _, errors = here("--output-dir", run_copy, "--resume", *words)
    assert code == 0
    assert "supernets: trained already" in errors
    assert "predictor ..." in errors
    with h5py.File(run_copy / "labels.h5") as file:
        after = file["accuracy_percent"][:]
    assert len(before) < len(after)
    np.testing.assert_array_equal(after[: len(before)], before)


def test_a_folder_that_is_in_use_or_holds_something_is_left_alone(
    finished: Path, tiny: Path, tmp_path: Path, here: RunHere, contents: Contents
) -> None:
    before = contents(finished)
    assert "already holds a run: go on with it by --resume" in error_line(here(tiny, "--output-dir", finished)[2])
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "study.toml").write_text("seed = 1", encoding="utf-8")
    (tmp_path / "other" / "images").mkdir()
    for flag in ([], ["--resume"], ["--overwrite"]):
        code, _, errors = here(tiny, "--output-dir", tmp_path / "other", *flag)
        assert code == 2
        assert "is not empty and holds no run" in error_line(errors)
    assert {path.name for path in (tmp_path / "other").iterdir()} == {"study.toml", "images"}
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    for place in ("file", "file/below"):
        code, _, errors = here(tiny, "--output-dir", tmp_path / place, "--overwrite")
        assert code == 2
        assert "choose another --output-dir" in error_line(errors)
    assert "exclude each other" in error_line(here(tiny, "--resume", "--overwrite", "--output-dir", finished)[2])
    code, _, errors = here("--resume", "--output-dir", tmp_path / "nothing")
    assert code == 2
    assert "holds no run to go on with" in error_line(errors)
    assert not (tmp_path / "nothing").exists()
    assert contents(finished) == before


# Settings that a run cannot change


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--seed", 1], "seed = 0, not 1"),
        (["--set", "supernet.steps=50"], "supernet.steps = 40, not 50"),
        (["--set", "supernet.groups=3"], "supernet.groups = 2, not 3"),
        (["--set", "network.channels=8"], "network.channels = 4, not 8"),
        (["--set", "data.image_size=12"], "data.image_size = nothing, not 12"),
        (["--set", "labels.validation_images=50"], "labels.validation_images = 60, not 50"),
        (["--set", "compute.threads=2"], "compute.threads = 1, not 2"),
        (["--device", "auto"], "hardware.device = 'cpu', not 'auto'"),
        (["--set", "name=other"], "name = 'tiny', not 'other'"),
        (["--set", "data.source=folder", "--set", "data.path=/tmp"], "data.source = 'digits', not 'folder'"),
    ],
)
def test_resuming_refuses_another(
    words: list[object], named: str, finished: Path, here: RunHere, contents: Contents
) -> None:
    before = contents(finished)
    code, _, errors = here("--output-dir", finished, "--resume", *words)
    assert code == 2
    assert f"was begun with {named}; use another --output-dir, or --overwrite" in error_line(errors)
    assert contents(finished) == before


def test_resuming_refuses_another_space_but_not_the_same_in_another_file(
    finished: Path, run_copy: Path, tmp_path: Path, here: RunHere, contents: Contents
) -> None:
    text = (finished / "space.toml").read_text(encoding="utf-8")
    changed, same = tmp_path / "changed.toml", tmp_path / "same.toml"
    changed.write_text(text.replace(', "avg_pool_3x3"]', "]"), encoding="utf-8")
    same.write_text(text, encoding="utf-8")
    before = contents(finished)
    code, _, errors = here("--output-dir", finished, "--resume", "--set", f"space={changed}")
    assert code == 2
    assert f"was begun with another space than {changed}" in error_line(errors)
    assert contents(finished) == before
    assert here("--output-dir", run_copy, "--resume", "--quiet", "--set", f"space={same}")[0] == 0


# Wrong input


def write_table(path: Path, change: Callable[[list[str]], list[str]]) -> Path:
    space = load_space("nasbench201")
    rows = [f"{digits},{1 + position / 1000}" for position, digits in enumerate(space.digits(space.all_codes()))]
    path.write_text("\n".join(["code,board", *change(rows)]) + "\n", encoding="utf-8")
    return path


def write_images(folder: Path, classes: int, side: int = 8, count: int = 40) -> Path:
    rng = np.random.default_rng(0)
    for index in range(count):
        place = folder / f"class{index % classes}"
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 255, size=(side, side, 3)).astype(np.uint8)).save(place / f"{index}.png")
    return folder


@pytest.fixture(scope="session")
def wrong(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of input that is wrong."""
    folder = tmp_path_factory.mktemp("wrong")
    (folder / "empty").mkdir()
    write_images(folder / "one", 1)
    write_images(folder / "ten", 2, side=10)
    write_images(folder / "few", 2, count=20)
    write_images(folder / "broken", 2)
    (folder / "broken" / "class1" / "1.png").write_bytes(b"no image")
    write_table(folder / "missing.csv", lambda rows: rows[:-3])
    write_table(folder / "nan.csv", lambda rows: [f"{rows[0][:6]},nan", *rows[1:]])
    write_table(folder / "twice.csv", lambda rows: [*rows, rows[7]])
    (folder / "broken.toml").write_text("a = [", encoding="utf-8")
    (folder / "foreign.csv").write_text("code,accuracy\n0123,50\n", encoding="utf-8")
    return folder


WRONG: dict[str, tuple[list[str], str]] = {
    "study": (["nosuch"], "unknown study 'nosuch'; choose from cifar10, quickstart"),
    "study file": (["broken.toml"], "is not valid TOML"),
    "space": (["--set", "space=nosuch"], "unknown space 'nosuch'; choose from darts, fbnet,"),
    "space file": (["--set", "space=broken.toml"], "is not valid TOML"),
    "setting": (["--set", "supernet.stepz=5"], "unknown setting 'supernet.stepz' on the command line; did you mean"),
    "value": (["--set", "supernet.steps=0"], "supernet.steps: input should be greater than or equal to 1 (got 0)"),
    "assignment": (["--set", "supernet.steps"], "--set takes key=value, such as supernet.steps=5000"),
    "section": (["--set", "supernet=5"], "supernet is a section of settings, not a value (got 5)"),
    "option": (["--frobnicate"], "No such option: --frobnicate"),
    "latency device": (["--device", "tpu"], "or one that this machine has, cpu"),
    "compute device": (["--compute-device", "tpu"], "compute.device must be auto, cpu or cuda[:n] (got 'tpu')"),
    "no such GPU": (["--compute-device", "cuda:99"], "compute.device 'cuda:99' is not on this machine"),
    "budget without unit": (["--latency-budget", "5"], "--latency-budget needs a unit"),
    "budget of another unit": (["--flops-budget", "5ms"], "unknown unit 'ms'"),
    "budget of zero": (["--latency-budget", "0ms"], "above zero (got '0ms')"),
    "negative budget": (["--latency-budget=-1ms"], "above zero (got '-1ms')"),
    "budget over 100%": (["--params-budget", "101%"], "at most 100% (got '101%')"),
    "two budgets on one cost": (
        ["--latency-budget", "5ms", "--latency-budget", "6ms"],
        "--latency-budget bounds the latency more than once",
    ),
    "no folder of images": (["--data", "nowhere"], "the folder of images does not exist"),
    "empty folder": (["--data", "empty"], "has no class sub-folders: expected DIR/<class>/<image>"),
    "one class": (["--data", "one"], "at least 2 classes are needed (got only 'class0'"),
    "unreadable image": (["--data", "broken"], "1 of 40 images cannot be read: class1/1.png"),
    "size of images": (
        ["--data", "ten"],
        "image_size must be a multiple of 4, since 3 stages halve it 2 times (got 10)",
    ),
    "batch": (["--data", "few"], "supernet.batch_size must be at most the number of training images"),
    "missing rows": (["--latency-table", "missing.csv", "--device", "board"], "3 of the 15,625 architectures"),
    "NaN": (["--latency-table", "nan.csv", "--device", "board"], "line 2, column board: a latency must be a finite"),
    "duplicate": (["--latency-table", "twice.csv", "--device", "board"], "is listed twice, first in line 9"),
    "column": (["--latency-table", "twice.csv", "--device", "phone"], "unknown device 'phone'; choose from"),
    "truth of another space": (["--truth", "foreign.csv"], "line 2: not an architecture of nasbench201"),
    "truth column": (["--truth-column", "x"], "give --truth FILE.csv as well"),
    "too few labels": (["--set", "labels.count=20"], "labels.count must give at least 20 architectures that differ"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_input_is_one_line_and_makes_no_folder(
    case: str, tiny: Path, wrong: Path, tmp_path: Path, here: RunHere, monkeypatch: pytest.MonkeyPatch
) -> None:
    words, message = WRONG[case]
    monkeypatch.chdir(wrong)
    study = [] if case.startswith("study") else [tiny]
    code, out, errors = here(*study, *words, "--output-dir", tmp_path / "deep" / "run")
    assert (code, out) == (2, "")
    assert message in error_line(errors)
    assert not (tmp_path / "deep").exists()


@pytest.mark.parametrize("case", [case for case in WRONG if case != "study"])
def test_wrong_input_leaves_a_run_as_it_was(
    case: str,
    tiny: Path,
    wrong: Path,
    finished: Path,
    here: RunHere,
    contents: Contents,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    words, message = WRONG[case]
    monkeypatch.chdir(wrong)
    before = contents(finished)
    study = [] if case.startswith("study") else [tiny]
    for flag in ("--resume", "--overwrite"):
        code, _, errors = here(*study, *words, "--output-dir", finished, flag)
        assert code == 2
        # Resumed, a run refuses another data set or device before it looks at what is wrong with that.
        assert message in error_line(errors) or (flag == "--resume" and "was begun with" in errors)
        assert contents(finished) == before


# Damaged run folders


def cut(path: Path, share: float = 0.5) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])


DAMAGED = {
    "labels.h5": (1, "remove it and label again"),
    "supernets/member-1.safetensors": (1, "remove it to train this supernet again"),
    "costs.parquet": (1, "remove the file to have the costs made again"),
    "state.json": (1, "remove the file: what is done is found again"),
    "study.toml": (2, "begin anew by --overwrite"),
    "space.toml": (2, "restore the file, or begin anew by --overwrite"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_file_is_named_with_the_remedy(
    name: str, run_copy: Path, tiny: Path, here: RunHere, contents: Contents
) -> None:
    code, remedy = DAMAGED[name]
    cut(run_copy / name)
    before = contents(run_copy)
    words = (tiny, "--output-dir", run_copy, "--resume", "--latency-budget", "40%", "--set", "compute.processes=1")
    got, _, errors = here(*words)
    line = error_line(errors)
    assert got == code
    assert str(run_copy / name) in line
    assert remedy in line
    assert contents(run_copy) == before


def test_a_torn_record_of_the_search_is_repaired_and_said(run_copy: Path, finished: Path, here: RunHere) -> None:
    journal = run_copy / "search.journal"
    records = len(journal.read_bytes().splitlines())
    with journal.open("ab") as file:
        file.write(b'{"op_code":4,"worker')
    code, _, errors = here("--output-dir", run_copy, "--resume")
    assert code == 0
    assert "half-written records were removed" in errors + (run_copy / "report.json").read_text(encoding="utf-8")
    assert len(journal.read_bytes().splitlines()) >= records
    assert all(json.loads(line) for line in journal.read_text(encoding="utf-8").splitlines())
    assert (run_copy / "lookup.csv").read_bytes() == (finished / "lookup.csv").read_bytes()


def test_a_search_of_another_space_under_the_same_name_is_refused_and_kept(run_copy: Path, here: RunHere) -> None:
    journal = run_copy / "search.journal"
    space = load_space("nasbench201").fingerprint
    foreign = journal.read_text(encoding="utf-8").replace(space, "0" * len(space))
    journal.write_text(foreign, encoding="utf-8")
    code, _, errors = here("--output-dir", run_copy, "--resume")
    assert code == 2
    assert "searches another space: its fingerprint must be" in error_line(errors)
    assert journal.read_text(encoding="utf-8") == foreign


@pytest.mark.parametrize("name", ["labels.h5", "costs.parquet", "state.json"])
def test_the_remedy_works(name: str, run_copy: Path, finished: Path, here: RunHere) -> None:
    (run_copy / name).unlink()
    assert here("--output-dir", run_copy, "--resume", "--quiet", "--set", "compute.processes=1")[0] == 0
    assert (run_copy / "lookup.csv").read_bytes() == (finished / "lookup.csv").read_bytes()


@pytest.mark.parametrize("name", ["images", "predictor"])
def test_what_can_be_made_again_is(name: str, run_copy: Path, finished: Path, here: RunHere) -> None:
    for path in (run_copy / name).iterdir():
        cut(path)
    code, _, errors = here("--output-dir", run_copy, "--resume", "--quiet")
    assert code == 0
    # Forty labels may also be too few to be learnt, which is said where the predictor is fitted.
    (warning,) = [line for line in errors.splitlines() if "do not rise with the accuracy" not in line]
    assert warning.startswith("warning: ")
    assert warning.endswith("again")
    assert (run_copy / "lookup.csv").read_bytes() == (finished / "lookup.csv").read_bytes()
    assert here("--output-dir", run_copy, "--resume", "--quiet")[2] == ""


def test_a_study_that_was_cut_short_at_a_line_is_noticed(run_copy: Path, here: RunHere) -> None:
    text = (run_copy / "study.toml").read_text(encoding="utf-8")
    (run_copy / "study.toml").write_text(text[: text.index("[supernet]")], encoding="utf-8")
    code, _, errors = here("--output-dir", run_copy, "--resume")
    assert code == 2
    assert "is cut short: it has no supernet" in error_line(errors)


# Budgets that nothing meets


def test_an_infeasible_budget_is_said_before_any_training(tiny: Path, tmp_path: Path, here: RunHere) -> None:
    folder = tmp_path / "run"
    words = ("--output-dir", folder, "--set", "compute.processes=1")
    code, out, errors = here(tiny, *words, "--params-budget", "1K", "--flops-budget", "40%")
    assert code == 3
    assert "no architecture of the space meets the budget" in error_line(errors)
    assert "smallest reachable" in out
    assert not (folder / "supernets").exists()
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert report["answer"]["outcome"] == "infeasible"
    smallest = {item["cost"]: item for item in report["answer"]["smallest"]}
    assert smallest["params"]["budget"] == 1000 < smallest["params"]["smallest"]
    assert (folder / "report.html").stat().st_size > 1000
    code, out, errors = here("--output-dir", folder, "--resume", "--json", "--params-budget", "1K")
    assert code == 3
    assert json.loads(out)["answer"]["outcome"] == "infeasible"
    assert here("--output-dir", folder, "--resume", "--params-budget", "60%", "--quiet")[0] == 0
    best = json.loads((folder / "best" / "architecture.json").read_text(encoding="utf-8"))
    assert set(best["budgets"]) == {"flops", "params"}
    assert best["costs"]["params"] <= best["budgets"]["params"]
    # The answer to former budgets does not stay beside a report that says that there is none.
    assert here("--output-dir", folder, "--resume", "--params-budget", "1K", "--quiet")[0] == 3
    assert not (folder / "best").exists()


def test_budgets_that_exclude_each_other_are_said_with_what_comes_nearest(
    tiny: Path, tmp_path: Path, here: RunHere
) -> None:
    """What is quick on one device is slow on the other: each budget can be met, both cannot."""
    codes = load_space("nasbench201").all_codes()
    digits, places = load_space("nasbench201").digits(codes), range(1, len(codes) + 1)
    lines = [f"{code},{1 + at / 1000},{20 - at / 1000}" for code, at in zip(digits, places, strict=True)]
    table, folder = tmp_path / "table.csv", tmp_path / "run"
    table.write_text("\n".join(["code,one,other", *lines]), encoding="utf-8")
    words = ("--latency-table", table, "--device", "one", "--set", "compute.processes=1", "--output-dir", folder)
    code, out, errors = here(tiny, *words, "--latency-budget", "one=5ms", "--latency-budget", "other=10ms")
    assert code == 3
    assert "no architecture of the space meets the budget" in error_line(errors)
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))["answer"]
    assert report["outcome"] == "infeasible"
    assert len(report["nearest_misses"]) == 5
    assert "nearest" in out.lower()
    assert not (folder / "supernets").exists()


# Own images


def test_images_of_mixed_modes_and_sizes_work(tiny: Path, mixed_images: Path, tmp_path: Path, here: RunHere) -> None:
    images, folder = Path(shutil.copytree(mixed_images, tmp_path / "images")), tmp_path / "run"
    words = ("--output-dir", folder, "--set", "compute.processes=1", "--params-budget", "40%")
    code, _, errors = here(tiny, *words, "--data", images)
    assert code == 0
    assert "images: 60 of 120 images were resized to 8x8" in errors
    assert "images: 40 of 120 images were converted to colour" in errors
    # The same images elsewhere are the same images; others at the same place are not.
    moved = Path(shutil.copytree(images, tmp_path / "moved"))
    assert here("--output-dir", folder, "--resume", "--quiet", "--data", moved)[0] == 0
    victim = next((moved / "dark").iterdir())
    Image.new("RGB", (8, 8), "red").save(victim)
    code, _, errors = here("--output-dir", folder, "--resume", "--quiet")
    assert code == 2
    assert f"was begun with other images (data) than those of {moved} now" in error_line(errors)
    shutil.rmtree(moved)
    code, _, errors = here("--output-dir", folder, "--resume", "--quiet")
    assert code == 0
    assert errors == f"warning: data.path: {moved} is gone; the images kept in the run folder are used\n"


def test_another_device_and_ground_truth_come_from_files(tiny: Path, tmp_path: Path, here: RunHere) -> None:
    table, folder = write_table(tmp_path / "table.csv", list), tmp_path / "run"
    truth = write_table(tmp_path / "truth.csv", list)
    words = ("--latency-table", table, "--device", "board", "--latency-budget", "9ms", "--truth", truth)
    code, out, _ = here(tiny, *words, "--output-dir", folder, "--set", "compute.processes=1")
    assert code == 0
    assert "Against ground truth, board" in out
    best = json.loads((folder / "best" / "architecture.json").read_text(encoding="utf-8"))
    assert best["measured_latency_ms"] is None
    position = int(load_space("nasbench201").index(load_space("nasbench201").parse(best["code"])[None])[0])
    assert best["costs"]["latency_ms"] == pytest.approx(1 + position / 1000)
    assert best["costs"]["latency_ms"] <= 9
    # Neither the table's place nor the truth is part of what was trained and labelled.
    moved = table.rename(tmp_path / "moved.csv")
    again = ("--output-dir", folder, "--resume", "--latency-table", moved, "--truth", "none", "--quiet")
    code, out, _ = here(*again)
    assert code == 0
    assert "Against ground truth" not in out
    write_table(moved, lambda rows: [row.replace(",1.", ",2.") for row in rows])
    code, _, errors = here(*again)
    assert code == 2
    assert "begun with other latencies than hardware.latency_table has now" in error_line(errors)


def test_an_interrupt_before_anything_was_written_says_so(
    finished: Path, here: RunHere, contents: Contents, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr("surrogate_nas.study.run.check_stored", interrupt)
    before = contents(finished)
    for flag in ("--resume", "--overwrite"):
        code, _, errors = here(finished / "study.toml", "--output-dir", finished, flag, "--quiet")
        assert code == 130
        assert errors.splitlines()[-1] == "warning: stopped while preparing the study; nothing was changed yet"
    assert contents(finished) == before


def test_overwriting_replaces_a_run_and_nothing_else(run_copy: Path, tiny: Path, here: RunHere) -> None:
    (run_copy / "notes.txt").write_text("mine", encoding="utf-8")
    words = ("--output-dir", run_copy, "--overwrite", "--params-budget", "1K")
    assert here(tiny, *words, "--quiet")[0] == 3
    assert {path.name for path in run_copy.iterdir() if not path.name.startswith(".")} == {
        "notes.txt",
        "study.toml",
        "environment.json",
        "space.toml",
        "images",
        "costs.parquet",
        "report.json",
        "report.html",
        "log.txt",
    }


# Disks and processes in the way


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Lets no file grow beyond some bytes, here and in processes begun here, as a full disk would not."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize(
    ("size", "removed", "named"),
    [
        (100_000, "supernets", "member-"),
        (100_000, "predictor", "predictor-"),
        (10_000, "search.journal", "search.journal"),
        (200_000, "lookup.parquet", "lookup"),
        (3_000_000, "report.html", "report.html"),
    ],
)
def test_a_full_disk_is_one_line_and_costs_nothing_that_is_done(
    size: int, removed: str, named: str, run_copy: Path, finished: Path, here: RunHere, contents: Contents
) -> None:
    place = run_copy / removed
    shutil.rmtree(place) if place.is_dir() else place.unlink()
    before = contents(run_copy)
    words = ("--output-dir", run_copy, "--resume", "--quiet", "--set", "compute.processes=1")
    with largest_file(size):
        code, _, errors = here(*words)
    assert code in (1, 2)
    assert named in error_line(errors)
    after = contents(run_copy)
    changed = {"state.json", "report.json", "environment.json", "study.toml", "lookup.json", "lookup.csv"}
    assert {name for name in before if before[name] != after.get(name)} <= changed
    assert here(*words)[0] == 0
    assert (run_copy / "lookup.csv").read_bytes() == (finished / "lookup.csv").read_bytes()


def test_a_folder_in_which_a_study_runs_is_left_to_it(run_copy: Path, here: RunHere, contents: Contents) -> None:
    before = contents(run_copy)
    with FileLock(run_copy / ".lock"):
        for flag in ("--resume", "--overwrite"):
            code, _, errors = here("quickstart", "--output-dir", run_copy, flag)
            assert code == 2
            assert "another process is working in" in error_line(errors)
    assert contents(run_copy) == before
