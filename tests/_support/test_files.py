"""Writing in one piece: what was there before survives everything that may go wrong."""

import errno
import json
import os
import re
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from surrogate_nas._support import files
from surrogate_nas._support.files import (
    as_file_name,
    atomic_write,
    file_state,
    is_file_name,
    read_json,
    write_json,
    write_text,
)
from surrogate_nas.errors import StoreError, SurrogateNasError, WriteError


@pytest.fixture
def umask() -> Iterator[None]:
    before = os.umask(0o027)
    yield
    os.umask(before)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_replaced_and_nothing_else_stays(tmp_path: Path) -> None:
    path = tmp_path / "made" / "for" / "this.json"
    for content in ("old", "new"):
        with atomic_write(path) as temporary:
            assert temporary.parent == path.parent
            assert temporary.suffix == path.suffix
            temporary.write_text(content)
        assert path.read_text() == content
        assert names(path.parent) == [path.name]


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_block_that_fails_leaves_the_old_file_and_its_own_error(tmp_path: Path, failure: type[BaseException]) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")

    def write() -> None:
        with atomic_write(path) as temporary:
            temporary.write_text("half")
            raise failure("by the block")

    with pytest.raises(failure, match="by the block"):
        write()
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_a_full_disk_leaves_the_old_file_and_is_said_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")

    def write() -> None:
        with atomic_write(path) as temporary:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(temporary))

    with pytest.raises(WriteError, match=re.escape(f"{path} cannot be written: No space left on device") + "$"):
        write()
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_an_error_of_writing_is_one_of_the_project_and_one_of_the_system() -> None:
    assert issubclass(WriteError, SurrogateNasError)
    assert issubclass(WriteError, OSError)


def test_an_inner_write_that_fails_is_named_itself(tmp_path: Path) -> None:
    inner = tmp_path / "a.txt" / "inner.txt"
    (tmp_path / "a.txt").touch()

    def write() -> None:
        with atomic_write(tmp_path / "outer.txt"):
            write_text(inner, "x")

    with pytest.raises(WriteError, match=f"^{re.escape(str(inner))} cannot be written"):
        write()


def test_a_file_or_a_folder_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("old")
    with pytest.raises(WriteError, match=re.escape(f"file/a.txt cannot be written: File exists: {tmp_path / 'file'}")):
        write_text(tmp_path / "file" / "a.txt", "x")
    (tmp_path / "folder").mkdir()
    with pytest.raises(WriteError, match=re.escape(f"{tmp_path / 'folder'} cannot be written: Is a directory")):
        write_text(tmp_path / "folder", "x")
    assert names(tmp_path) == ["file", "folder"]
    assert (tmp_path / "file").read_text() == "old"


@pytest.mark.posix
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_folder_that_may_not_be_written_to_is_said(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(WriteError, match=re.escape(f"{path} cannot be written: Permission denied")):
            write_text(path, "new")
    finally:
        tmp_path.chmod(0o700)
    assert path.read_text() == "old"


@pytest.mark.posix
@pytest.mark.parametrize("replaced", [False, True])
def test_a_new_file_has_the_permissions_of_any_other(tmp_path: Path, umask: None, replaced: bool) -> None:
    path = tmp_path / "a.txt"
    with atomic_write(path) as temporary:
        assert temporary.stat().st_mode & 0o777 == 0o640
        if replaced:  # some libraries write a file of their own and move it into place
            own = tmp_path / "own"
            own.touch(mode=0o600)
            own.replace(temporary)
    (tmp_path / "other.txt").touch()
    assert path.stat().st_mode == (tmp_path / "other.txt").stat().st_mode


@pytest.mark.posix
def test_a_killed_writer_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    script = textwrap.dedent(
        """
        import os, signal, sys
        from pathlib import Path
        from surrogate_nas._support.files import atomic_write
        with atomic_write(Path(sys.argv[1])) as temporary:
            temporary.write_text("half")
            os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    killed = subprocess.run([sys.executable, "-c", script, str(path)], check=False, env=environment)
    assert killed.returncode == -signal.SIGKILL
    assert path.read_text() == "old"
    write_text(path, "new")
    assert path.read_text() == "new"


# Systems on which open files stay


@pytest.mark.posix
def test_a_file_is_flushed_while_it_is_open_for_writing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows refuses to flush a file that was opened for reading."""
    fcntl = pytest.importorskip("fcntl")
    flushed: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda handle: flushed.append(fcntl.fcntl(handle, fcntl.F_GETFL) & os.O_ACCMODE))
    write_text(tmp_path / "a.txt", "x")
    assert flushed == [os.O_RDWR]


@pytest.fixture
def held_open(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Holds the target of a replacement open for as many tries as the list has numbers."""
    tries: list[int] = []
    replace = Path.replace

    def refuse(self: Path, target: Path) -> Path:
        if tries:
            tries.pop()
            raise PermissionError(13, "in use", str(self))
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", refuse)
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    return tries


def test_a_file_that_is_held_open_is_replaced_once_it_is_free(
    tmp_path: Path, held_open: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    held_open += [1, 2, 3]
    monkeypatch.setattr(files, "OPEN_FILES_STAY", True)
    write_text(tmp_path / "a.txt", "x")
    assert held_open == []
    assert (tmp_path / "a.txt").read_text(encoding="utf-8") == "x"


def test_a_file_that_stays_open_is_an_error_in_the_end(
    tmp_path: Path, held_open: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    held_open += range(10**6)
    monkeypatch.setattr(files, "OPEN_FILES_STAY", True)
    monkeypatch.setattr(files, "_PATIENCE_SECONDS", 0.01)
    with pytest.raises(WriteError, match=re.escape(f"{tmp_path / 'a.txt'} cannot be written: in use")):
        write_text(tmp_path / "a.txt", "x")


def test_elsewhere_nobody_waits(tmp_path: Path, held_open: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    held_open += [1, 2]
    monkeypatch.setattr(files, "OPEN_FILES_STAY", False)
    with pytest.raises(WriteError, match="in use"):
        write_text(tmp_path / "a.txt", "x")
    assert held_open == [1]


# Names


@pytest.mark.parametrize("name", ["a", "A-1.b_c", "console", "com10", "_x"])
def test_names_that_every_system_has(name: str) -> None:
    assert is_file_name(name)
    assert as_file_name(name) == name


@pytest.mark.parametrize("name", ["", ".", "..", "a.", "a/b", "a:b", "a b", "con", "NUL", "aux.parquet", "Com1", "ä"])
def test_names_that_some_system_has_not(name: str) -> None:
    assert not is_file_name(name)


@pytest.mark.parametrize(
    ("text", "name"),
    [("nasbench201-a/b c", "nasbench201-a-b-c"), ("../../x", "x"), ("a:0", "a-0"), ("\\\\pc\\x", "pc-x"), ("?", "-")],
)
def test_a_device_s_name_is_a_part_of_a_file_s(text: str, name: str) -> None:
    assert as_file_name(text) == name


# Text and JSON


def test_lines_end_in_one_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashes of definitions must agree between systems, on one of which text ends lines in two characters."""
    endings: list[str | None] = []
    write = Path.write_text

    def spy(self: Path, text: str, **options: Any) -> int:  # noqa: ANN401
        endings.append(options.get("newline"))
        return write(self, text, **options)

    monkeypatch.setattr(Path, "write_text", spy)
    write_text(tmp_path / "a.txt", "a\nb\n")
    assert endings == ["\n"]


def test_text_is_utf8(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "5 µs\n")
    assert (tmp_path / "a.txt").read_bytes() == b"5 \xc2\xb5s\n"


def test_json_reads_back(tmp_path: Path) -> None:
    content: dict[str, Any] = {"b": [1, 2.5, None, True], "a": {"\u00b5": "\U0001f600"}, "": 10**20}
    write_json(tmp_path / "a.json", content)
    assert read_json(tmp_path / "a.json", "thing", "ask") == content
    assert (tmp_path / "a.json").read_text().endswith("}\n")
    assert list(json.loads((tmp_path / "a.json").read_text())) == ["b", "a", "", "checksum"]


@pytest.mark.parametrize("content", [{"x": float("nan")}, {"x": float("inf")}, {"x": object()}])
def test_what_json_has_no_words_for_is_not_written(tmp_path: Path, content: dict[str, Any]) -> None:
    path = tmp_path / "a.json"
    path.write_text("old")
    with pytest.raises((ValueError, TypeError)):
        write_json(path, content)
    assert path.read_text() == "old"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the thing cannot be read: {path}: Expecting value"),
        (b'{"a": 1', "the thing cannot be read: {path}: Expecting ',' delimiter"),
        (b'{"a": "caf\xe9"}', "the thing cannot be read: {path}: 'utf-8' codec"),
        (b"[" * 100_000, "the thing cannot be read: {path}: maximum recursion depth"),
        (b'{"a": ' + b"9" * 5000 + b"}", "the thing cannot be read: {path}: Exceeds the limit"),
        (b'{"a": 1' + b"0" * 400 + b"}", "the thing cannot be read: {path}: int too large"),
        (b'{"a": 1e999}', "the thing cannot be read: {path}: 1e999 is not a finite number"),
        (b'{"a": NaN}', "the thing cannot be read: {path}: NaN is not a finite number"),
        (b"[1]", "the thing cannot be read: {path}: it must be a JSON object (got list); ask"),
        (b"null", "the thing cannot be read: {path}: it must be a JSON object (got NoneType); ask"),
    ],
)
def test_a_damaged_file_is_named_with_what_it_is(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(StoreError, match=re.escape(message.format(path=path))):
        read_json(path, "thing", "ask")


def test_a_change_of_the_content_is_refused_and_one_of_the_layout_is_not(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_json(path, {"a": [1.5, "caf\u00e9", None], "checksum": "of former content"})
    text = path.read_text()
    path.write_text(json.dumps(json.loads(text)))
    assert read_json(path, "thing", "ask") == {"a": [1.5, "caf\u00e9", None]}
    path.write_text(text.replace("1.5", "1.7"))
    with pytest.raises(StoreError, match=re.escape(f"{path}: its content does not have the checksum") + ".*; ask$"):
        read_json(path, "thing", "ask")
    path.write_text(json.dumps({"a": 1}))
    assert read_json(path, "thing", "ask") == {"a": 1}


def test_a_newer_file_says_that_the_program_is_older(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    for key in ("schema", "schema_version"):
        write_json(path, {key: 3})
        assert read_json(path, "thing", "ask", 3)[key] == 3
        with pytest.raises(StoreError, match=re.escape(f"{path} has version 3 and this program reads 2: the program")):
            read_json(path, "thing", "ask", 2)
        with pytest.raises(StoreError, match=r"has version 3 and this program reads 4; ask$"):
            read_json(path, "thing", "ask", 4)


def test_a_missing_file_and_a_folder_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=re.escape(f"the thing is missing: {tmp_path / 'nil.json'}")):
        read_json(tmp_path / "nil.json", "thing", "ask")
    with pytest.raises(StoreError, match=re.escape(f"the thing cannot be read: {tmp_path}: Is a directory")):
        read_json(tmp_path, "thing", "ask")


# File systems that lack a call


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP, errno.ENOSYS])
def test_a_file_system_without_flushing_is_written_to(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", refuse)
    write_text(tmp_path / "a.txt", "x")
    assert (tmp_path / "a.txt").read_text() == "x"


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC, errno.EDQUOT])
def test_what_a_disk_refuses_stays_an_error(number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: int) -> None:
        raise OSError(number, os.strerror(number))

    (tmp_path / "a.txt").write_text("old")
    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(WriteError, match=os.strerror(number)):
        write_text(tmp_path / "a.txt", "x")
    assert (tmp_path / "a.txt").read_text() == "old"


def test_a_file_system_of_another_owner_is_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, _mode: int) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted", str(path))

    monkeypatch.setattr(Path, "chmod", refuse)
    write_text(tmp_path / "a.txt", "x")
    with atomic_write(tmp_path / "b.txt") as temporary:
        temporary.unlink()  # as libraries do that put a file of their own in its place
        os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT, 0o600))
    assert names(tmp_path) == ["a.txt", "b.txt"]


def test_a_replaced_file_has_another_state(tmp_path: Path) -> None:
    path = tmp_path / "kept"
    assert file_state(path) == (0, 0)
    write_text(path, "a")
    first = file_state(path)
    assert first == file_state(path) != (0, 0)
    write_text(path, "b")
    assert file_state(path) != first
