"""Run folders with damaged files, and disks that are full."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from surrogate_nas.runs.study_file import read_resolved
from surrogate_nas.space.load import load_space
from tests.study.command_words import error_line

RunHere = Callable[..., tuple[int, str, str]]
Run = Callable[..., subprocess.CompletedProcess[str]]
Contents = Callable[[Path], dict[str, bytes]]


def cut(path: Path, share: float = 0.5) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])


DAMAGED = {
    "labels.h5": (1, "remove it and label again"),
    "supernets/member-1.safetensors": (1, "remove it to train this supernet again"),
    "costs.parquet": (1, "remove the file, and the costs are computed again"),
    "state.json": (1, "remove the file: what is done is found again"),
    "study.toml": (2, "start over with --overwrite"),
    "space.toml": (2, "restore the file, or start over with --overwrite"),
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


@pytest.mark.parametrize("damage", ["study.toml", pytest.param("space.toml", marks=pytest.mark.slow)])
def test_a_run_whose_settings_cannot_be_read_can_be_started_over(
    damage: str, run_copy: Path, tiny: Path, here: RunHere
) -> None:
    cut(run_copy / damage)
    code, _, errors = here(tiny, "--output-dir", run_copy, "--overwrite", "--quiet", "--flops-budget", "1K")
    assert code == 3, errors
    assert "costs are computed again" not in errors
    assert read_resolved(run_copy / "study.toml", {}).name == "tiny"


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
    foreign = re.sub(',"checksum":"[0-9a-f]{8}"}\n', "}\n", journal.read_text(encoding="utf-8"))
    foreign = foreign.replace(space, "0" * len(space))
    journal.write_text(foreign, encoding="utf-8")
    code, _, errors = here("--output-dir", run_copy, "--resume")
    assert code == 2
    assert "searches another space: its fingerprint must be" in error_line(errors)
    assert journal.read_text(encoding="utf-8") == foreign


@pytest.mark.parametrize(
    "name", ["labels.h5", *(pytest.param(name, marks=pytest.mark.slow) for name in ("costs.parquet", "state.json"))]
)
def test_the_remedy_works(name: str, run_copy: Path, finished: Path, here: RunHere) -> None:
    (run_copy / name).unlink()
    assert here("--output-dir", run_copy, "--resume", "--quiet", "--set", "compute.processes=1")[0] == 0
    assert (run_copy / "lookup.csv").read_bytes() == (finished / "lookup.csv").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["images", "predictor"])
def test_what_can_be_made_again_is(name: str, run_copy: Path, finished: Path, here: RunHere) -> None:
    for path in (run_copy / name).iterdir():
        cut(path)
    code, _, errors = here("--output-dir", run_copy, "--resume", "--quiet")
    assert code == 0
    # Forty labels may also be too few to be learnt, and they rest on few images.
    known = ("do not rise with the accuracy", "a label will rest on 60 validation images")
    (warning,) = [line for line in errors.splitlines() if not any(text in line for text in known)]
    assert warning.startswith("warning: ")
    assert warning.endswith("again")
    assert (run_copy / "lookup.csv").read_bytes() == (finished / "lookup.csv").read_bytes()
    assert "again" not in here("--output-dir", run_copy, "--resume", "--quiet")[2]


def test_a_study_that_was_cut_short_at_a_line_is_noticed(run_copy: Path, here: RunHere) -> None:
    header, _, rest = (run_copy / "study.toml").read_text(encoding="utf-8").split("\n", 2)
    text = f"{header}\n{rest}"
    (run_copy / "study.toml").write_text(text[: text.index("[supernet]")], encoding="utf-8")
    code, _, errors = here("--output-dir", run_copy, "--resume")
    assert code == 2
    assert "is cut short: it has no supernet" in error_line(errors)


# Disks and processes in the way


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Lets no file grow beyond some bytes, here and in processes started here, as a full disk would not."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.quick_cases(1)
@pytest.mark.posix
@pytest.mark.parametrize(
    ("size", "removed", "named"),
    [
        (100_000, "supernets", "member-"),
        pytest.param(100_000, "predictor", "predictor-", marks=pytest.mark.slow),
        pytest.param(10_000, "search.journal", "search.journal", marks=pytest.mark.slow),
        pytest.param(200_000, "lookup.parquet", "lookup", marks=pytest.mark.slow),
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
