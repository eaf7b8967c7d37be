"""Checkpoints that cannot be read or written are reported and change nothing."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from surrogate_nas.errors import RunFolderError, StoreError, TrainingError, UnreadableError
from surrogate_nas.training.network_checkpoint import load_training, save_training, stored_identity

IDENTITY = {"code": "333132", "seed": "0"}


def network_and_optimizer() -> tuple[nn.Module, torch.optim.SGD]:
    network = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9)
    network(torch.randn(4, 3)).sum().backward()
    optimizer.step()
    return network, optimizer


def test_everything_comes_back(tmp_path: Path) -> None:
    network, optimizer = network_and_optimizer()
    save_training(tmp_path / "c", network, optimizer, 5, IDENTITY)
    other, tuned = network_and_optimizer()
    assert load_training(tmp_path / "c", other, tuned, IDENTITY) == 5
    for name, tensor in network.state_dict().items():
        assert torch.equal(other.state_dict()[name], tensor)
    for one, two in zip(network.parameters(), other.parameters(), strict=True):
        assert torch.equal(optimizer.state[one]["momentum_buffer"], tuned.state[two]["momentum_buffer"])


def test_an_older_checkpoint_of_the_same_training_does_not_replace_a_newer(tmp_path: Path) -> None:
    network, optimizer = network_and_optimizer()
    for step in (5, 4):
        save_training(tmp_path / "c", network, optimizer, step, IDENTITY)
    assert load_training(tmp_path / "c", network, optimizer, IDENTITY) == 5


def test_the_identity_is_read_alone(tmp_path: Path) -> None:
    save_training(tmp_path / "c", *network_and_optimizer(), 5, IDENTITY)
    assert stored_identity(tmp_path / "c") == IDENTITY
    (tmp_path / "c").write_bytes(b"no tensors")
    with pytest.raises(StoreError, match="is damaged or not one of this training"):
        stored_identity(tmp_path / "c")


def test_damage_and_foreign_files_are_said(tmp_path: Path) -> None:
    network, optimizer = network_and_optimizer()
    path = tmp_path / "c"
    save_training(path, network, optimizer, 5, IDENTITY)
    with pytest.raises(RunFolderError, match="made with seed = 0, not 1"):
        load_training(path, network, optimizer, IDENTITY | {"seed": "1"})
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(StoreError, match="damaged"):
        load_training(path, network, optimizer, IDENTITY)
    for metadata in ({"step": "-1"}, {"identity": "[" * 100_000}, {"step": "9" * 5000}):
        save_file({"a": torch.zeros(1)}, path, {"schema": "1", "step": "5", "identity": "{}"} | metadata)
        with pytest.raises(StoreError, match="damaged"):
            load_training(path, network, optimizer, {})
    save_file({"a": torch.zeros(1)}, path, {"identity": "[" * 100_000})
    with pytest.raises(StoreError, match="damaged"):
        stored_identity(path)
    path.write_text("not a checkpoint")
    with pytest.raises(StoreError, match="damaged"):
        load_training(path, network, optimizer, IDENTITY)


def test_what_cannot_be_read_is_not_to_be_removed(tmp_path: Path) -> None:
    for read in (stored_identity, lambda path: load_training(path, *network_and_optimizer(), IDENTITY)):
        with pytest.raises(UnreadableError, match="cannot be read") as caught:
            read(tmp_path)
        assert "remove" not in str(caught.value)


def test_what_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    network, optimizer = network_and_optimizer()
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(TrainingError, match="cannot be written"):
        save_training(tmp_path / "file" / "c", network, optimizer, 5, IDENTITY)


def test_a_newer_checkpoint_says_so(tmp_path: Path) -> None:
    network, optimizer = network_and_optimizer()
    save_file({"a": torch.zeros(1)}, tmp_path / "c", {"schema": "2", "step": "5", "identity": "{}"})
    with pytest.raises(StoreError, match="has version 2 and this program reads 1: the program is older than the file"):
        load_training(tmp_path / "c", network, optimizer, {})


def test_other_images_are_said_without_a_digest(tmp_path: Path) -> None:
    network, optimizer = network_and_optimizer()
    save_training(tmp_path / "c", network, optimizer, 5, IDENTITY | {"images": "one"})
    with pytest.raises(RunFolderError, match=r"was made with other images; restore them, or remove the file"):
        load_training(tmp_path / "c", network, optimizer, IDENTITY | {"images": "two"})
