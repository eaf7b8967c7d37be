"""Files that are cut, foreign or altered: our error and an untouched file, never anything else."""

import re
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surrogate_nas.errors import RunFolderError, StoreError
from surrogate_nas.labels.hdf5_layout import hdf5_file, read_identity_of, read_labels_of, write_file
from surrogate_nas.labels.records import LabelBatch, LabelIdentity, Labels

IDENTITY = LabelIdentity("toy", "0123456789abcdef", (2, 3, 5), "images", "0.1.0")


def some_labels(count: int) -> Labels:
    codes = np.array([[row % 2, row % 3, row % 5] for row in range(count)])
    return LabelBatch(codes, np.linspace(0, 100, count), np.linspace(9, 1, count), "training", 3, 4, 5).rows((2, 3, 5))


def read(path: Path) -> tuple[Labels, int]:
    with hdf5_file(path, "r") as file:
        return read_labels_of(file, read_identity_of(file))


def equal(one: Labels, other: Labels) -> bool:
    names = ("codes", "accuracy_percent", "loss", "source", "member", "seed", "steps")
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in names)


def without_checksums(path: Path) -> None:
    """Makes a file of the first version of the layout."""
    with h5py.File(path, "r+") as file:
        file.attrs["schema_version"] = 1
        count = int(file["committed"][()]) & 0xFFFF_FFFF
        del file["checksum"], file["committed"]
        file["committed"] = np.int64(count)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("whole") / "labels.h5"
    write_file(path, IDENTITY, some_labels(40), 100)
    return path.read_bytes()


def test_roundtrip_leaves_the_spare_room_out(tmp_path: Path) -> None:
    path = tmp_path / "labels.h5"
    write_file(path, IDENTITY, some_labels(40), 100)
    labels, capacity = read(path)
    assert capacity == 100
    assert equal(labels, some_labels(40))
    with hdf5_file(path, "r") as file:
        assert read_identity_of(file) == IDENTITY


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_a_file_cut_anywhere_is_refused_and_left_as_it_is(
    data: st.DataObject, whole: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "cut.h5"
    cut = data.draw(st.integers(0, len(whole) - 1))
    path.write_bytes(whole[:cut])
    with pytest.raises(StoreError, match="remove it and label again") as caught:
        read(path)
    assert "\n" not in str(caught.value)
    assert path.read_bytes() == whole[:cut]


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_a_stretch_of_zeros_is_refused_or_leaves_a_file_of_the_same_rules(
    data: st.DataObject, whole: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "zeros.h5"
    start = data.draw(st.integers(0, len(whole) - 1))
    length = data.draw(st.integers(1, len(whole) - start))
    path.write_bytes(whole[:start] + bytes(length) + whole[start + length :])
    try:
        labels, _ = read(path)
    except (StoreError, RunFolderError):
        return
    assert len(labels) <= 40
    assert np.isfinite(labels.loss).all()


def test_what_follows_the_end_does_no_harm(whole: bytes, tmp_path: Path) -> None:
    path = tmp_path / "labels.h5"
    path.write_bytes(whole + b"more")
    assert equal(read(path)[0], some_labels(40))


@pytest.mark.parametrize("content", [b"", b"code,accuracy\n0,1\n", b"PK\x03\x04" + bytes(5000)])
def test_a_file_of_another_kind_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "labels.h5"
    path.write_bytes(content)
    with pytest.raises(StoreError, match=re.escape(f"{path} is damaged or not a label file")):
        read(path)
    assert path.read_bytes() == content


def test_a_foreign_hdf5_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "labels.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("codes", data=np.zeros((3, 3), np.int8))
    with pytest.raises(StoreError, match=re.escape(f"{path} is an HDF5 file but not a label file")):
        read(path)


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match=re.escape(f"label file not found: {tmp_path / 'labels.h5'}")):
        read(tmp_path / "labels.h5")
    with pytest.raises(StoreError, match=re.escape(f"{tmp_path} is ")):
        read(tmp_path)


def test_a_later_schema_is_refused_with_the_remedy(whole: bytes, tmp_path: Path) -> None:
    path = tmp_path / "labels.h5"
    path.write_bytes(whole)
    with h5py.File(path, "r+") as file:
        file.attrs["schema_version"] = 3
    with pytest.raises(StoreError, match="has version 3 and this program reads 2: the program is older than the file"):
        read(path)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("committed", 101, "101 rows in room for 100"),
        ("committed", -1, "-1 rows in room for 100"),
        ("codes", 9, "decision 0 has the choices 0 to 1 (got 9 in row 0)"),
        ("loss", np.nan, "loss must be finite (got nan in row 0)"),
        ("accuracy_percent", 101.0, "within 0 to 100 (got 101.0 in row 0)"),
        ("source", 7, "unknown source"),
    ],
)
def test_values_that_were_never_accepted_are_noticed(
    name: str, value: float, message: str, whole: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "labels.h5"
    path.write_bytes(whole)
    without_checksums(path)
    with h5py.File(path, "r+") as file:
        file[name][...] = value
    with pytest.raises(StoreError, match=re.escape(message)):
        read(path)


@pytest.mark.parametrize("name", ["committed", "codes", "loss", "steps", "checksum"])
def test_a_column_that_is_missing_or_short_is_noticed(name: str, whole: bytes, tmp_path: Path) -> None:
    path = tmp_path / "labels.h5"
    path.write_bytes(whole)
    with h5py.File(path, "r+") as file:
        del file[name]
    with pytest.raises(StoreError, match="damaged"):
        read(path)
    with h5py.File(path, "r+") as file:
        file.create_dataset(name, data=np.zeros((3, 4)))
    with pytest.raises(StoreError, match="damaged"):
        read(path)


def test_rows_beyond_the_count_are_not_read(whole: bytes, tmp_path: Path) -> None:
    path = tmp_path / "labels.h5"
    path.write_bytes(whole)
    with h5py.File(path, "r+") as file:
        file["loss"][40:] = np.nan
        file["codes"][40:] = 99
    assert equal(read(path)[0], some_labels(40))


def large(file: h5py.File, name: str, rows: int) -> None:
    column = file[name]
    shape, dtype = (rows, *column.shape[1:]), column.dtype
    del file[name]
    file.create_dataset(name, shape=shape, dtype=dtype, chunks=(1000, *shape[1:]))


@pytest.mark.parametrize("rows", [10**6, 10**12])
def test_rows_that_are_stated_but_not_stored_are_refused_before_they_take_memory(
    rows: int, whole: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "labels.h5"
    path.write_bytes(whole)
    without_checksums(path)
    with h5py.File(path, "r+") as file:
        for name in [name for name in file if name != "committed"]:
            large(file, name, rows)
        file["committed"][()] = rows
    with pytest.raises(StoreError, match="not stored whole"):
        read(path)


def test_columns_of_another_file_are_refused(whole: bytes, tmp_path: Path) -> None:
    path = tmp_path / "labels.h5"
    path.write_bytes(whole)
    (tmp_path / "secret.h5").write_bytes(whole)
    with h5py.File(path, "r+") as file:
        del file["loss"]
        file["loss"] = h5py.ExternalLink("secret.h5", "loss")
    with pytest.raises(StoreError, match="column loss is missing or a link"):
        read(path)


@pytest.mark.parametrize("value", [np.inf, np.nan, np.zeros(10**4)])
def test_a_count_that_is_no_whole_number_is_refused(value: object, whole: bytes, tmp_path: Path) -> None:
    path = tmp_path / "labels.h5"
    path.write_bytes(whole)
    with h5py.File(path, "r+") as file:
        del file["committed"]
        file["committed"] = value
    with pytest.raises(StoreError, match="is damaged"):
        read(path)


def test_a_schema_that_is_infinite_is_refused(whole: bytes, tmp_path: Path) -> None:
    path = tmp_path / "labels.h5"
    path.write_bytes(whole)
    with h5py.File(path, "r+") as file:
        file.attrs["schema_version"] = np.inf
    with pytest.raises(StoreError, match="is damaged"):
        read(path)


def test_a_file_without_checksums_is_read(whole: bytes, tmp_path: Path) -> None:
    path = tmp_path / "labels.h5"
    path.write_bytes(whole)
    without_checksums(path)
    assert equal(read(path)[0], some_labels(40))


@pytest.mark.parametrize("step", [67, pytest.param(1, marks=pytest.mark.slow)])
def test_a_bit_flipped_anywhere_is_refused_or_harmless(step: int, whole: bytes, tmp_path: Path) -> None:
    path = tmp_path / "labels.h5"
    places = range(0, len(whole), step)
    harmless = 0
    for place in places:
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << place % 8]) + whole[place + 1 :])
        try:
            labels, _ = read(path)
        except (StoreError, RunFolderError):
            continue
        assert equal(labels, some_labels(40))
        harmless += 1
    # Unused room, such as the rows beyond the count.
    assert harmless < 0.8 * len(places)
