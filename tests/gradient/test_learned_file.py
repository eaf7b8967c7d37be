"""A state is read as it was written; one of something else, damaged or of a later version is refused."""

from pathlib import Path

import pytest
import torch

from surrogate_nas._support.tensor_files import read_tensors, write_tensors
from surrogate_nas.errors import RunFolderError, StoreError
from surrogate_nas.gradient.learned_file import LearnedState, load_learned, save_learned

TENSOR = {"a.b": torch.arange(3.0)}
STATE = LearnedState(7, 3, 0.25, TENSOR, {"a.b": torch.ones(3)}, {"logits": torch.zeros(2)}, {}, {})
IDENTITY = {"space": "s"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    save_learned(tmp_path / "state.safetensors", STATE, IDENTITY)
    return tmp_path / "state.safetensors"


def test_a_state_is_read_as_it_was_written(path: Path) -> None:
    state = load_learned(path, IDENTITY)
    assert (state.step, state.moves, state.baseline) == (7, 3, 0.25)
    assert torch.equal(state.weights["a.b"], TENSOR["a.b"])
    assert torch.equal(state.momenta["a.b"], torch.ones(3))
    assert state.distribution.keys() == {"logits"}
    assert not state.means


def test_a_state_of_something_else_is_refused(path: Path) -> None:
    with pytest.raises(RunFolderError, match="learnt with space = s, not other"):
        load_learned(path, {"space": "other"})


def test_a_damaged_file_is_refused(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-2])
    with pytest.raises(StoreError, match=r"damaged .* remove it to learn this distribution again"):
        load_learned(path, IDENTITY)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": "2"}, "has version 2"),
        ({"step": "-1"}, "damaged"),
        ({"moves": "x"}, "damaged"),
        ({"moves": "9" * 400}, "damaged"),
    ],
)
def test_wrong_texts_are_refused(path: Path, change: dict[str, str], message: str) -> None:
    tensors, texts = read_tensors(path)
    write_tensors(path, tensors, texts | change)
    with pytest.raises(StoreError, match=message):
        load_learned(path, IDENTITY)
