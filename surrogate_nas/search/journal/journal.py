"""An Optuna journal file that survives kill -9 and can be shared with a running dashboard.

This module solves three problems of Optuna's ``JournalFileBackend``: a half-written last record makes the file
unreadable once more follow, the lock file of a killed holder stalls everybody for 30 s, and every trial costs a lock
and an ``fsync`` of its own.
"""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from optuna.storages.journal import BaseJournalBackend, JournalFileBackend

from surrogate_nas._support.files import UNREADABLE, atomic_write, flush_to_disk
from surrogate_nas._support.stored.checksums import is_damaged, sealed_line
from surrogate_nas.errors import RunFolderError

LOCK_MARK = b"surrogate_nas\n"
GUARD_TIMEOUT_S = 60.0
FOREIGN_GRACE_S = 2.0
_CREATE_STUDY = 0
_LONGEST_RECORD = 65_536  # bytes, more than any that is written here


class JournalLock:
    """Excludes other writers of a journal; re-entrant, for one thread.

    Two locks are taken. A kernel lock on a hidden file next to the journal arbitrates between processes of this
    project: the kernel drops it when its holder dies. Under it, Optuna's own ``<journal>.lock`` keeps a dashboard from
    writing notes at the same time. A ``.lock`` file with this project's mark that is found while holding the kernel
    lock belongs to a dead process and is removed at once; any other gets ``FOREIGN_GRACE_S``, a thousand times the
    time that a record takes.

    Args:
        path: The journal; its folder must exist.
    """

    def __init__(self, path: Path) -> None:
        self._file = Path(f"{path}.lock")
        self._guard = FileLock(path.with_name(f".{path.name}.guard"), timeout=GUARD_TIMEOUT_S)
        self._depth = 0

    @contextmanager
    def held(self) -> Iterator[None]:
        """Excludes every other writer inside the block.

        Raises:
            RunFolderError: If another process of this project keeps the journal for a minute.
        """
        try:
            self._guard.acquire()
        except Timeout:
            raise RunFolderError(f"the search journal is being written by another process: {self._file}") from None
        try:
            if self._depth == 0:
                self._take_file()
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
                if self._depth == 0:
                    self._file.unlink(missing_ok=True)
        finally:
            self._guard.release()

    def _take_file(self) -> None:
        patience = time.monotonic() + FOREIGN_GRACE_S
        while True:
            try:
                handle = os.open(self._file, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
            except FileExistsError:
                if self._left_by_us() or time.monotonic() > patience:
                    self._file.unlink(missing_ok=True)
                else:
                    time.sleep(0.01)
                continue
            with os.fdopen(handle, "wb") as file:
                file.write(LOCK_MARK)
            return

    def _left_by_us(self) -> bool:
        # Optuna's default lock is a link to the journal: reading through it would read the journal.
        try:
            return not self._file.is_symlink() and self._file.read_bytes() == LOCK_MARK
        except OSError:
            return False


class BatchJournal(BaseJournalBackend):
    """Journal file whose records can be written in batches: one lock, one write and one ``fsync`` for many.

    Args:
        path: The journal; created if it is missing.
        lock: Lock of the writers.
    """

    def __init__(self, path: Path, lock: JournalLock) -> None:
        self._path = path
        self._lock = lock
        self._reader = JournalFileBackend(str(path))
        self._written = 0  # records known to be in the file
        self._pending: list[dict[str, Any]] | None = None

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Collects records inside the block and writes them at its end, even if it is interrupted."""
        with self._lock.held():
            self._written += sum(1 for _ in self._reader.read_logs(self._written))
            self._pending = []
            try:
                yield
            finally:
                records, self._pending = self._pending, None
                self._write(records)

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Writes records, or keeps them for the end of the batch."""
        if self._pending is None:
            with self._lock.held():
                self._write(logs)
        else:
            self._pending.extend(logs)

    def append_lines(self, lines: list[str]) -> None:
        """Writes records that are already text, each a line without its end; not inside a batch."""
        with self._lock.held():
            self._write_lines(lines)

    def read_logs(self, log_number_from: int) -> Iterator[dict[str, Any]]:
        """Yields records from a number on: records of the file, then records of the open batch."""
        if self._pending is None or log_number_from < self._written:
            yield from self._reader.read_logs(log_number_from)
        if self._pending is not None:
            yield from self._pending[max(log_number_from - self._written, 0) :]

    def _write(self, records: list[dict[str, Any]]) -> None:
        self._write_lines([json.dumps(record, separators=(",", ":")) for record in records])

    def _write_lines(self, lines: list[str]) -> None:
        _cut_torn_record(self._path)
        with self._path.open("ab") as file:
            file.write("".join([sealed_line(line) + "\n" for line in lines]).encode())
            file.flush()
            flush_to_disk(file.fileno())


def _cut_torn_record(path: Path) -> None:
    """Removes a last record that its writer did not finish; call it as the only writer."""
    try:
        with path.open("r+b") as file:
            end = file.seek(0, os.SEEK_END)
            start = max(0, end - _LONGEST_RECORD)
            file.seek(start)
            tail = file.read()
            if tail and not tail.endswith(b"\n"):
                file.truncate(start + tail.rfind(b"\n") + 1)
    except FileNotFoundError:
        return


def damaged_record(path: Path) -> int | None:
    """Returns the number, from 1 on, of the first record of a journal that is not what was written, if there is one.

    Raises:
        RunFolderError: If the journal cannot be read.
    """
    try:
        with path.open("rb") as file:
            lines = enumerate(file, start=1)
            return next((number for number, line in lines if line.endswith(b"\n") and is_damaged(line)), None)
    except OSError as error:
        raise RunFolderError(f"the search journal cannot be read: {path}: {error.strerror}") from None


def repair(path: Path) -> int:
    """Removes records that a killed writer left half-written; call it as the only writer.

    Only records that were never acknowledged can be half-written. One in the middle means that another process
    appended after the kill, and its first record was merged with the half-written one.

    Args:
        path: An existing journal.

    Returns:
        Number of bytes removed.

    Raises:
        RunFolderError: If the file is not an Optuna journal; it is left as it is.
    """
    try:
        with path.open("rb") as file:
            # Line by line: a journal of a million trials is too large to hold in memory.
            first = file.readline()
            if first and not _starts_a_study(first):
                raise RunFolderError(
                    f"the file is in the way of the search journal and is not one: {path}; move it away"
                )
            torn = sum(len(line) for line in file if _record(line) is None)
    except OSError as error:
        raise RunFolderError(f"the search journal cannot be read: {path}: {error.strerror}") from None
    if torn:
        with atomic_write(path) as temporary, path.open("rb") as file, temporary.open("wb") as whole:
            whole.writelines(line for line in file if _record(line) is not None)
    return torn


def _record(line: bytes) -> dict[str, Any] | None:
    if not line.endswith(b"\n"):
        return None
    try:
        record = json.loads(line)
    except UNREADABLE:
        return None
    return record if isinstance(record, dict) and "op_code" in record else None


def _starts_a_study(line: bytes) -> bool:
    record = _record(line)
    return record is not None and record["op_code"] == _CREATE_STUDY
