"""A file of tensors gives back what went in, and a bad one says why."""

from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from surrogate_nas._support.tensor_files import (
    holds_later_step,
    part,
    read_tensor,
    read_tensors,
    read_texts,
    texts_of,
    write_tensors,
)
from surrogate_nas.errors import StoreError, UnreadableError, WriteError


@pytest.fixture
def nothing_mapped(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system that maps no files, such as some of CIFS and FUSE; safetensors gives no number of the error."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError("No such device (os error 19)")

    monkeypatch.setattr("surrogate_nas._support.tensor_files.safe_open", refuse)


@pytest.mark.usefixtures("nothing_mapped")
def test_files_are_read_where_nothing_is_mapped(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    tensors = {"a": torch.arange(4).to(torch.bfloat16), "b": torch.zeros((0, 2)), "c": torch.tensor(3)}
    write_tensors(path, tensors, {"step": "7"})
    found, texts = read_tensors(path)
    assert texts == read_texts(path) == {"step": "7"}
    assert found.keys() == tensors.keys()
    assert all(torch.equal(found[name], tensors[name]) and found[name].dtype == tensors[name].dtype for name in found)
    assert read_tensor(path, "c").item() == 3


@pytest.mark.usefixtures("nothing_mapped")
@pytest.mark.parametrize("content", [b"", b"not tensors", b"\xff" * 64, b"\x02" + bytes(7) + b"[]"])
def test_damage_is_seen_where_nothing_is_mapped(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(content)
    for read in (read_tensors, read_texts):
        with pytest.raises(StoreError, match=r"\w") as caught:
            read(path)
        assert not isinstance(caught.value, UnreadableError)


@pytest.mark.usefixtures("nothing_mapped")
def test_a_file_that_cannot_be_read_is_not_called_damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.safetensors"
    write_tensors(path, {"a": torch.tensor(1.0)}, {})

    def gone(_: Path) -> bytes:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Path, "read_bytes", gone)
    for read in (read_tensors, read_texts):
        with pytest.raises(
            UnreadableError, match=r"a\.safetensors cannot be read: Input/output error; it may be whole"
        ):
            read(path)


def test_one_tensor_is_read_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    write_tensors(path, {"a": torch.tensor(1.0), "b": torch.tensor(2.0)}, {})
    assert read_tensor(path, "b").item() == 2.0
    with pytest.raises(StoreError, match="it has no c"):
        read_tensor(path, "c")


def test_the_texts_of_bytes_are_those_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    write_tensors(path, {"a": torch.tensor(1.0)}, {"step": "7"})
    with safe_open(path, framework="pt") as file:
        assert texts_of(path.read_bytes()) == file.metadata()
    save_file({"a": torch.tensor([1.0])}, path)
    assert texts_of(path.read_bytes()) == {}


def test_what_was_written_is_read(tmp_path: Path) -> None:
    tensors = {"weight.a": torch.arange(6.0).reshape(2, 3).T, "weight.b": torch.tensor(3, dtype=torch.int64)}
    write_tensors(tmp_path / "a.safetensors", tensors, {"step": "7"})
    found, texts = read_tensors(tmp_path / "a.safetensors")
    assert texts == read_texts(tmp_path / "a.safetensors") == {"step": "7"}
    assert found.keys() == tensors.keys()
    assert all(torch.equal(found[name], tensors[name]) and found[name].dtype == tensors[name].dtype for name in found)


def test_nothing_but_the_file_is_left(tmp_path: Path) -> None:
    for value in (1.0, 2.0):
        write_tensors(tmp_path / "a.safetensors", {"a": torch.tensor(value)}, {})
    assert [path.name for path in tmp_path.iterdir()] == ["a.safetensors"]
    assert read_tensors(tmp_path / "a.safetensors")[0]["a"].item() == 2.0


def test_a_file_that_cannot_be_written_leaves_the_older_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.safetensors"
    write_tensors(path, {"a": torch.tensor(1.0)}, {})

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(WriteError, match="No space left"):
        write_tensors(path, {"a": torch.tensor(2.0)}, {})
    assert read_tensors(path)[0]["a"].item() == 1.0


@pytest.mark.parametrize("content", [None, b"", b"not tensors", b"\xff" * 64])
def test_a_missing_or_damaged_file_says_why(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "a.safetensors"
    if content is not None:
        path.write_bytes(content)
    for read in (read_tensors, read_texts):
        with pytest.raises(StoreError, match=r"\w"):
            read(path)


def test_part_takes_off_the_prefix() -> None:
    tensors = {"weight.a": torch.tensor(1.0), "mean.a": torch.tensor(2.0)}
    assert {name: value.item() for name, value in part(tensors, "mean.").items()} == {"a": 2.0}


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16, torch.int64, torch.bool])
def test_a_flipped_bit_is_refused_or_harmless(tmp_path: Path, kind: torch.dtype) -> None:
    path, tensors = tmp_path / "a.safetensors", {"a": torch.arange(4).to(kind), "b": torch.zeros((0, 2))}
    write_tensors(path, tensors, {"step": "7"})
    whole, refused = path.read_bytes(), 0
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << place % 8]) + whole[place + 1 :])
        try:
            found, texts = read_tensors(path)
        except StoreError:
            refused += 1
            continue
        assert torch.equal(found["a"], tensors["a"])
        assert texts["step"] == "7"
    assert refused > 0.8 * len(whole)


def test_a_file_of_others_has_no_checksum(tmp_path: Path) -> None:
    save_file({"a": torch.tensor([1.0])}, tmp_path / "a.safetensors", {"step": "7"})
    assert read_tensors(tmp_path / "a.safetensors") == ({"a": torch.tensor([1.0])}, {"step": "7"})


@pytest.mark.parametrize(
    ("texts", "later"),
    [
        ({"step": "6", "identity": "a"}, True),
        ({"step": "7", "identity": "a"}, False),
        ({"step": "8", "identity": "a"}, False),
        ({"step": "6", "identity": "b"}, False),
        ({"step": "", "identity": "a"}, False),
    ],
)
def test_a_later_step_of_the_same_work_is_known(tmp_path: Path, texts: dict[str, str], later: bool) -> None:
    path = tmp_path / "a.safetensors"
    assert not holds_later_step(path, texts)
    write_tensors(path, {"a": torch.tensor(1.0)}, {"step": "7", "identity": "a"})
    assert holds_later_step(path, texts) is later
    write_tensors(path, {"a": torch.tensor(1.0)}, {})
    assert not holds_later_step(path, texts)
    path.write_bytes(b"no tensors")
    assert not holds_later_step(path, texts)


def test_the_same_content_gives_the_same_bytes(tmp_path: Path) -> None:
    tensors = {"a": torch.arange(5), "b": torch.ones(3, dtype=torch.bfloat16), "c": torch.zeros((0, 2))}
    texts = {f"text {number}": "\u00e4\n\x01\u2028" * number for number in range(9)}
    files = [tmp_path / f"{number}.safetensors" for number in range(4)]
    for file in files:
        write_tensors(file, tensors, texts)
    assert len({file.read_bytes() for file in files}) == 1
    found, same = read_tensors(files[0])
    assert same == texts
    assert all(torch.equal(found[name], tensors[name]) for name in tensors)
