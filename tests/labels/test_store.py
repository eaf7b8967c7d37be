"""The store against processes that are killed, a second writer, wrong identities, and a list in memory."""

import errno
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import fields, replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surrogate_nas.errors import RunFolderError, SettingsError, SpaceError, StoreError
from surrogate_nas.labels import store as store_module
from surrogate_nas.labels.hdf5_layout import hdf5_file, read_identity_of
from surrogate_nas.labels.records import LabelBatch, LabelIdentity, Labels, concatenate
from surrogate_nas.labels.store import LabelStore, read_labels
from tests.conftest import REPOSITORY

IDENTITY = LabelIdentity("toy", "0123456789abcdef", (5,) * 6, "images", "0.1.0")

# Batch number b has 1 + b % 7 rows, and each row follows from b and its place, so that everything read back can be
# compared with what was acknowledged. Prints the number of rows after each acknowledgement.
WRITER = """
import os, signal, sys
from pathlib import Path
import numpy as np
from surrogate_nas.labels import store
from surrogate_nas.labels import hdf5_layout as layout
from surrogate_nas.labels.records import LabelBatch, LabelIdentity

path, kill_at = Path(sys.argv[1]), sys.argv[2]
store.FIRST_CAPACITY = 4
calls = 0

def counted(function):
    def call(*arguments, **options):
        global calls
        calls += 1
        if calls == int(kill_at):
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **options)
    return call

# A killed process dies between two system calls: before a flush, a sync, a write or a rename.
if int(kill_at):
    os.fsync, os.replace, os.rename = counted(os.fsync), counted(os.replace), counted(os.rename)
    layout.columns_of = store.columns_of = counted(layout.columns_of)
    store.concatenate = counted(store.concatenate)

identity = LabelIdentity("toy", "0123456789abcdef", (5,) * 6, "images", "0.1.0")
with store.LabelStore.open_or_create(path, identity) as labels:
    done, batch = 0, 0
    while done < len(labels):
        done += 1 + batch % 7
        batch += 1
    assert done == len(labels), "a batch was cut"
    while True:
        rows = np.arange(len(labels), len(labels) + 1 + batch % 7)
        codes = rows[:, None] // 5 ** np.arange(6) % 5
        labels.append(LabelBatch(codes, rows % 101 * 1.0, rows / 7, "supernet", batch % 3, batch, 1))
        batch += 1
        print(len(labels), flush=True)
"""


def batch_of(start: int, count: int, **changes: object) -> LabelBatch:
    rows = np.arange(start, start + count)
    codes = rows[:, None] // 5 ** np.arange(6) % 5
    return replace(LabelBatch(codes, rows % 101 * 1.0, rows / 7, "supernet", 0, 0, 1), **changes)  # type: ignore[arg-type]


def assert_equal(one: Labels, other: Labels) -> None:
    for field in fields(Labels):
        np.testing.assert_array_equal(getattr(one, field.name), getattr(other, field.name), err_msg=field.name)
        assert getattr(one, field.name).dtype == getattr(other, field.name).dtype


def assert_holds_what_was_written(path: Path, acknowledged: int) -> int:
    labels = read_labels(path, IDENTITY)
    rows = np.arange(len(labels))
    assert len(labels) >= acknowledged
    np.testing.assert_array_equal(labels.codes, rows[:, None] // 5 ** np.arange(6) % 5)
    np.testing.assert_array_equal(labels.accuracy_percent, rows % 101)
    np.testing.assert_array_equal(labels.loss, rows / 7)
    _, sizes = np.unique(labels.seed, return_counts=True)
    assert sizes.tolist() == [1 + batch % 7 for batch in range(len(sizes))], "a batch was cut"
    assert len(labels) - acknowledged <= 7, "more than one batch beyond what was acknowledged"
    return len(labels)


def write_until_killed(path: Path, seconds: float = 0.0, kill_at: int = 0) -> int | None:
    """Returns the last acknowledged number of rows of a writer killed after some time or at a certain call."""
    command = [sys.executable, "-c", WRITER, str(path), str(kill_at)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        lines = []
        if not kill_at:
            lines.append(process.stdout.readline())
            time.sleep(seconds)
            process.send_signal(signal.SIGKILL)
        lines += process.stdout.readlines()
        problem = process.stderr.read()
    assert process.returncode == -signal.SIGKILL, problem
    return int(lines[-1]) if lines else None


@pytest.mark.slow
@pytest.mark.posix
def test_a_writer_killed_again_and_again_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "labels.h5"
    rng = np.random.default_rng(0)
    for _ in range(6):
        acknowledged = write_until_killed(path, float(rng.uniform(0, 0.08)))
        assert acknowledged is not None
        assert_holds_what_was_written(path, acknowledged)
    with LabelStore.open(path, IDENTITY) as labels:
        count = len(labels)
    assert assert_holds_what_was_written(path, count) == count


@pytest.mark.quick_cases(2)
@pytest.mark.posix
@pytest.mark.parametrize("kill_at", [1, 2, 3, 5, 8, 13, 22])
def test_a_writer_killed_at_a_certain_step_loses_nothing(kill_at: int, tmp_path: Path) -> None:
    path = tmp_path / "labels.h5"
    acknowledged = write_until_killed(path, kill_at=kill_at)
    if not path.exists():
        assert acknowledged is None
        return
    assert_holds_what_was_written(path, acknowledged or 0)
    with LabelStore.open(path, IDENTITY) as labels:
        labels.append(batch_of(len(labels), 3))
    assert sorted(entry.name for entry in tmp_path.iterdir()) == [".labels.h5.lock", "labels.h5"]


@settings(max_examples=30, deadline=None)
@given(
    batches=st.lists(
        st.tuples(
            st.integers(0, 12),
            st.sampled_from(["supernet", "training"]),
            st.integers(-1, 2**31 - 1),
            st.integers(0, 2**63 - 1),
            st.booleans(),
        ),
        max_size=8,
    )
)
def test_what_is_appended_is_read_back(
    batches: list[tuple[int, str, int, int, bool]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("roundtrip") / "labels.h5"
    expected = [batch_of(0, 0).rows(IDENTITY.choices)]
    store = LabelStore.create(path, IDENTITY)
    for count, source, member, seed, reopen in batches:
        batch = batch_of(len(store), count, source=source, member=member, seed=seed)
        store.append(batch)
        expected.append(batch.rows(IDENTITY.choices))
        assert len(store) == sum(map(len, expected))
        if reopen:
            store.close()
            store = LabelStore.open(path, IDENTITY)
    assert_equal(store.read(), concatenate(expected))
    store.close()
    assert_equal(read_labels(path, IDENTITY), concatenate(expected))


def test_a_file_of_the_first_version_is_written_anew_when_it_is_opened(tmp_path: Path) -> None:
    path = Path(shutil.copy(REPOSITORY / "tests" / "assets" / "run_0_1_0" / "labels.h5", tmp_path))
    with hdf5_file(path, "r") as file:
        identity = read_identity_of(file)
    before = read_labels(path)
    with LabelStore.open(path, identity) as store:
        assert_equal(store.read(), before)
        store.append(replace(batch_of(0, 1), codes=before.codes[:1]))
    content = path.read_bytes()
    loss = before.loss[3].tobytes()
    assert content.count(loss) == 1
    path.write_bytes(content.replace(loss, before.loss[4].tobytes()))
    with pytest.raises(StoreError, match=r"labels\.h5 is damaged \(row 3: its content"):
        read_labels(path)


def test_growing_keeps_every_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "FIRST_CAPACITY", 2)
    with LabelStore.create(tmp_path / "labels.h5", IDENTITY) as store:
        for count in (1, 1, 1, 40, 2):
            store.append(batch_of(len(store), count))
    assert_equal(read_labels(tmp_path / "labels.h5"), batch_of(0, 45).rows(IDENTITY.choices))


def test_a_refused_batch_changes_nothing(tmp_path: Path) -> None:
    with LabelStore.create(tmp_path / "labels.h5", IDENTITY) as store:
        store.append(batch_of(0, 3))
        with pytest.raises(SpaceError, match=re.escape("choices 0 to 4 (got 5 in row 0)")):
            store.append(batch_of(0, 1, codes=np.full((1, 6), 5)))
        with pytest.raises(SettingsError, match=re.escape("loss must be finite (got nan in row 1)")):
            store.append(batch_of(0, 2, loss=np.array([1.0, np.nan])))
        store.append(batch_of(3, 3))
    assert_equal(read_labels(tmp_path / "labels.h5"), batch_of(0, 6).rows(IDENTITY.choices))


def test_a_disk_that_refuses_keeps_what_was_acknowledged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "labels.h5"

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with LabelStore.create(path, IDENTITY) as store:
        store.append(batch_of(0, 3))
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", full)
            with pytest.raises(StoreError, match="No space left on device"):
                store.append(batch_of(3, 3))  # in the room there is
            with pytest.raises(StoreError, match="No space left on device"):
                store.append(batch_of(3, 5000))  # needs a larger file
        assert len(store) == 3
        store.append(batch_of(3, 2))
    assert_equal(read_labels(path), batch_of(0, 5).rows(IDENTITY.choices))


def test_another_identity_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "labels.h5"
    LabelStore.create(path, IDENTITY).close()
    other = replace(IDENTITY, data_fingerprint="others")
    for use in (LabelStore.open, LabelStore.open_or_create, read_labels):
        with pytest.raises(RunFolderError, match=re.escape("data_fingerprint: 'images' (asked for 'others'); use the")):
            use(path, other)
    LabelStore.open(path, IDENTITY).close()  # the refusal released the lock


def test_a_second_writer_is_refused_and_readers_are_not(tmp_path: Path) -> None:
    path = tmp_path / "labels.h5"
    reader = (
        "import sys; from pathlib import Path; from surrogate_nas.labels.store import read_labels;"
        "print(len(read_labels(Path(sys.argv[1]))))"
    )
    with LabelStore.create(path, IDENTITY) as store:
        store.append(batch_of(0, 3))
        for use in (LabelStore.open, LabelStore.open_or_create):
            with pytest.raises(RunFolderError, match=re.escape(f"{path} is being written by another process; wait")):
                use(path, IDENTITY)
        read = subprocess.run([sys.executable, "-c", reader, str(path)], capture_output=True, text=True, check=True)
        assert read.stdout == "3\n"
    LabelStore.open(path, IDENTITY).close()


def test_opening_needs_a_file_and_creating_needs_none(tmp_path: Path) -> None:
    path = tmp_path / "new" / "labels.h5"
    with pytest.raises(RunFolderError, match=re.escape(f"label file not found: {path}")):
        LabelStore.open(path, IDENTITY)
    assert not path.parent.exists()
    LabelStore.create(path, IDENTITY).close()
    with pytest.raises(RunFolderError, match=re.escape(f"{path} exists already")):
        LabelStore.create(path, IDENTITY)


def test_a_damaged_file_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "labels.h5"
    path.write_bytes(b"not HDF5")
    for use in (LabelStore.open, LabelStore.open_or_create):
        with pytest.raises(StoreError, match="remove it and label again"):
            use(path, IDENTITY)
    assert path.read_bytes() == b"not HDF5"


def test_a_folder_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunFolderError, match="cannot be written"):
        LabelStore.create(tmp_path / "file" / "labels.h5", IDENTITY)


def test_a_disk_that_forbids_writing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "labels.h5", batch_of(0, 3))
    opened = h5py.File

    def refuse(file: object, mode: str = "r", **options: object) -> object:
        if mode == "r+":
            raise PermissionError(errno.EACCES, "Permission denied")
        return opened(file, mode, **options)

    monkeypatch.setattr(h5py, "File", refuse)
    with pytest.raises(RunFolderError, match="cannot be written: Permission denied; make it writable"):
        LabelStore.open(path, IDENTITY)


def test_a_closed_store_says_so(tmp_path: Path) -> None:
    store = LabelStore.create(tmp_path / "labels.h5", IDENTITY)
    store.close()
    store.close()
    with pytest.raises(StoreError, match="the label store is closed"):
        store.append(batch_of(0, 1))


def write(path: Path, *batches: LabelBatch, identity: LabelIdentity = IDENTITY) -> Path:
    with LabelStore.create(path, identity) as store:
        for batch in batches:
            store.append(batch)
    return path
