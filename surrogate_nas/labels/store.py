"""The store of labels: a file that one process writes, and that never loses an acknowledged label."""

from pathlib import Path
from types import TracebackType
from typing import Self

import h5py
import numpy as np
from filelock import FileLock, Timeout

from surrogate_nas._support.cache_folder import expanded
from surrogate_nas._support.files import flush_to_disk
from surrogate_nas._support.words import one_line
from surrogate_nas.errors import RunFolderError, StoreError
from surrogate_nas.labels.hdf5_layout import (
    columns_of,
    commit,
    has_no_checksums,
    hdf5_file,
    read_identity_of,
    read_labels_of,
    write_file,
)
from surrogate_nas.labels.records import NO_MEMBER, SOURCES, LabelBatch, LabelIdentity, Labels, concatenate

FIRST_CAPACITY = 1024


class LabelStore:
    """The only writer of a label file; a context manager.

    Call order: ``create``, ``open`` or ``open_or_create``, then any number of ``append`` and ``read``, then ``close``
    (which the context manager does). Once ``append`` has returned, its rows are on the disk: even if the process dies,
    the file opens again with them. Other processes may read the file at any time with ``read_labels``.
    """

    def __init__(self, path: Path, identity: LabelIdentity, lock: FileLock, labels: Labels, capacity: int) -> None:
        """Use ``create``, ``open`` or ``open_or_create``: they take the lock and check the file."""
        self.path = path
        self.identity = identity
        self._lock = lock
        self._parts = [labels]
        self._count = len(labels)
        self._capacity = capacity
        self._file: h5py.File | None = _open_for_writing(path)

    @classmethod
    def create(cls, path: Path, identity: LabelIdentity) -> Self:
        """Creates an empty file.

        Raises:
            RunFolderError: If the file exists, the folder cannot be written to, or another process holds the file.
        """
        lock = _lock(path)
        try:
            if path.exists():
                raise RunFolderError(f"{path} exists already; open it to add labels, or remove it to start again")
            empty = _no_labels(identity)
            _replace(path, identity, empty, FIRST_CAPACITY)
            return cls(path, identity, lock, empty, FIRST_CAPACITY)
        except BaseException:
            lock.release()
            raise

    @classmethod
    def open(cls, path: Path, identity: LabelIdentity) -> Self:
        """Opens an existing file to add to it; a batch that was cut off by a crash is dropped.

        Raises:
            RunFolderError: If the file is missing, belongs to another identity, or is held by another process.
            StoreError: If it is damaged or not a label file; it is not changed.
        """
        if not path.exists():
            raise RunFolderError(f"label file not found: {path}; the stage `labels` of a study writes it")
        lock = _lock(path)
        try:
            with hdf5_file(path, "r") as file:
                held = read_identity_of(file)
                held.require(identity, path)
                labels, capacity = read_labels_of(file, held)
                former = has_no_checksums(file)
            if former:
                _replace(path, identity, labels, capacity)
            return cls(path, identity, lock, labels, capacity)
        except BaseException:
            lock.release()
            raise

    @classmethod
    def open_or_create(cls, path: Path, identity: LabelIdentity) -> Self:
        """Opens the file if it exists, as a resumed stage does, and creates it otherwise; raises their errors."""
        return cls.open(path, identity) if path.exists() else cls.create(path, identity)

    def __len__(self) -> int:
        return self._count

    def read(self) -> Labels:
        """Returns all acknowledged labels."""
        self._parts = [concatenate(self._parts)]
        return self._parts[0]

    def append(self, batch: LabelBatch) -> None:
        """Adds a batch; when this returns, the batch is on the disk.

        Raises:
            SpaceError: If a code is not of the space.
            SettingsError: If an accuracy, a loss, the source, member, seed or steps are out of range.
            StoreError: If the disk refuses; the batch is then not acknowledged, all earlier ones are.
        """
        rows = batch.rows(self.identity.choices)
        self._require_open()
        start, end = len(self), len(self) + len(rows)
        if start == end:
            return
        try:
            if end > self._capacity:
                self._resize(max(end, 2 * self._capacity, FIRST_CAPACITY))
            file = self._require_open()
            for name, column in columns_of(rows).items():
                file[name][start:end] = column
            # The rows have to be on the disk before the count that makes them valid is.
            _sync(file)
            commit(file, end)
            _sync(file)
        except (OSError, RuntimeError) as error:
            raise StoreError(f"labels cannot be written to {self.path}: {one_line(error)}") from error
        self._parts.append(rows)
        self._count = end

    def close(self) -> None:
        """Gives back spare room and the lock; a second call does nothing."""
        if not self._lock.is_locked:
            return
        try:
            if self._file is not None and self._capacity > len(self):
                self._resize(len(self))
        finally:
            if self._file is not None:
                self._file.close()
            self._file = None
            self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _require_open(self) -> h5py.File:
        if self._file is None:
            raise StoreError(f"the label store is closed: {self.path}")
        return self._file

    def _resize(self, capacity: int) -> None:
        # Closed before it is replaced, since some systems do not replace open files.
        self._require_open().close()
        self._file = None
        try:
            write_file(self.path, self.identity, self.read(), capacity)
            self._capacity = capacity
        finally:
            self._file = _open_for_writing(self.path)


def read_labels(path: Path | str, identity: LabelIdentity | None = None) -> Labels:
    """Returns the acknowledged labels of a file, even while another process writes it.

    Args:
        path: The file.
        identity: Identity that the labels must have; ``None`` accepts any.

    Raises:
        RunFolderError: If the file is missing or belongs to another identity.
        StoreError: If it is damaged or not a label file.

    Example:
        ``folder`` is the run folder of a finished study.

        >>> from surrogate_nas import read_labels
        >>> labels = read_labels(folder / "labels.h5")
        >>> labels.codes.shape, labels.accuracy_percent.shape
        ((40, 4), (40,))
    """
    path = expanded(path)
    with hdf5_file(path, "r") as file:
        held = read_identity_of(file)
        if identity is not None:
            held.require(identity, path)
        return read_labels_of(file, held)[0]


def _replace(path: Path, identity: LabelIdentity, labels: Labels, capacity: int) -> None:
    try:
        write_file(path, identity, labels, capacity)
    except OSError as error:
        raise RunFolderError(f"the label file {path} cannot be written: {error}") from None


def _open_for_writing(path: Path) -> h5py.File:
    try:
        return h5py.File(path, "r+", locking=False)
    except PermissionError as error:
        raise RunFolderError(f"the label file {path} cannot be written: {error.strerror}; make it writable") from None


def _sync(file: h5py.File) -> None:
    file.flush()
    flush_to_disk(file.id.get_vfd_handle())


def _lock(path: Path) -> FileLock:
    """Takes the lock of a label file and removes files that a killed writer of it left unfinished."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path.with_name(f".{path.name}.lock"))
        lock.acquire(timeout=0)
    except Timeout:
        raise RunFolderError(
            f"{path} is being written by another process; wait for it to end, or give this one a file of its own"
        ) from None
    except OSError as error:
        raise RunFolderError(f"the label file {path} cannot be written: {error}") from None
    # Only the holder of the lock creates such files.
    for leftover in path.parent.iterdir():
        if leftover.name.startswith(f".{path.name}.") and leftover.suffix == path.suffix != ".lock":
            leftover.unlink(missing_ok=True)
    return lock


def _no_labels(identity: LabelIdentity) -> Labels:
    none = np.zeros((0, identity.num_decisions), dtype=np.int8)
    return LabelBatch(none, np.zeros(0), np.zeros(0), SOURCES[0], NO_MEMBER).rows(identity.choices)
