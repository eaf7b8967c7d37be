"""Each kind of fault of a reader is recognised, and faults of the past stay mended."""

import os
import random
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.breaking import worker
from benchmarks.breaking.containers import changed_parquet
from benchmarks.breaking.formats import FORMATS, Format, lay_out
from benchmarks.breaking.hostile import changed_toml
from benchmarks.breaking.worker import NEW_PROCESS, Watch, hostile_input, outcome
from surrogate_nas.errors import SettingsError, StoreError

CORPUS = Path(__file__).with_name("corpus")


def raising(error: Exception) -> Callable[[Path], None]:
    def read(_: Path) -> None:
        raise error

    return read


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (StoreError("it is damaged"), "refused"),
        (SettingsError("wrong " * 60), "long message"),
        (KeyError("x"), "traceback"),
        (RecursionError(), "traceback"),
        (None, "accepted"),
    ],
)
def test_the_outcome_of_a_reader(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, error: Exception | None, kind: str
) -> None:
    read = raising(error) if error else lambda _: None
    monkeypatch.setitem(FORMATS, "study", Format("x", changed_parquet, read))
    assert outcome("study", tmp_path)[0] == kind


def test_what_a_reader_does_outside_its_folder_is_seen(tmp_path: Path) -> None:
    watch = Watch(str(tmp_path / "in"))
    with watch.on():
        watch("open", (str(tmp_path / "in" / "x"), "w", os.O_WRONLY))
        watch("open", (str(tmp_path / "out"), "r", os.O_RDONLY))
        watch("os.remove", (str(tmp_path / "in" / "x"), -1))
        assert watch.seen == []
        watch("open", (str(tmp_path / "out"), "w", os.O_WRONLY | os.O_CREAT))
        watch("os.rename", (str(tmp_path / "in" / ".." / "x"), "y", -1, -1))
        watch("socket.connect", (socket.AF_INET, ("::1", 1)))
        watch("exec", (compile("1", str(tmp_path / "in" / "space.py"), "exec"),))
    assert [one.partition(":")[0] for one in watch.seen] == ["file outside"] * 2 + ["foreign code"] * 2
    watch("os.remove", ("/x", -1))
    assert len(watch.seen) == 4


@pytest.mark.parametrize(
    ("peaks", "faults", "code"),
    [
        ([100, 100, 100, 100, 100], 0, 0),
        ([100, 100, 100, 100, 1200], 1, NEW_PROCESS),
        ([100, 1200, 1200], 0, NEW_PROCESS),  # the file took it in the making
        ([100, 1000, 1050], 0, NEW_PROCESS),
    ],
)
def test_memory_of_reading_counts_and_a_new_process_follows_a_high_peak(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, peaks: list[float], faults: int, code: int
) -> None:
    def laid_out(_name: str, _run: Path, at: Path) -> None:
        at.mkdir()

    monkeypatch.setattr(worker, "lay_out", laid_out)
    monkeypatch.setattr(worker, "seeds", lambda _, at: [(at / "x", b"a = 1")])
    monkeypatch.setattr(worker, "limit_memory", lambda _: None)
    monkeypatch.setattr("sys.addaudithook", lambda _: None)
    monkeypatch.setattr(worker, "peak_memory_mb", iter(peaks).__next__)
    monkeypatch.setitem(FORMATS, "study", Format("x", changed_toml, lambda _: None))
    assert worker.Worker("study", tmp_path, tmp_path, 0).run(0, 2) == code
    found = tmp_path / "faults.jsonl"
    assert (len(found.read_text().splitlines()) if found.exists() else 0) == faults


def test_inputs_follow_from_seed_and_number(tmp_path: Path) -> None:
    good = [(tmp_path / "x", b"a = 1\nb = 2\n")]
    made = [hostile_input(random.Random(f"0-study-{index}"), "study", good)[1] for index in range(50)]
    assert made == [hostile_input(random.Random(f"0-study-{index}"), "study", good)[1] for index in range(50)]
    assert len(set(made)) > 30


@pytest.mark.parametrize("path", sorted(CORPUS.glob("*/*")), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_inputs_that_once_met_a_fault_meet_none(path: Path, trained_run: Path, tmp_path: Path) -> None:
    """Each folder is a format; each file in it the smallest input of a fault that a campaign met."""
    name = path.parent.name
    at = tmp_path / "at"
    lay_out(name, trained_run, at)
    target = next(iter(sorted(at.glob(FORMATS[name].target))), at / FORMATS[name].target)
    target.write_bytes(path.read_bytes())
    if (seal := FORMATS[name].seal) is not None:
        seal(at)
    kind, place, message = outcome(name, at)
    assert kind in ("accepted", "refused"), f"{kind} at {place}: {message}"
