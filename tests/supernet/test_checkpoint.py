"""Checkpoints come back bit by bit; a damaged or foreign file is refused and not touched."""

import errno
import json
import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from surrogate_nas.errors import RunFolderError, StoreError, TrainingError, UnreadableError
from surrogate_nas.supernet.checkpoint import (
    Checkpoint,
    load_checkpoint,
    restore,
    restore_weights,
    save_checkpoint,
)
from surrogate_nas.supernet.plan import SupernetPlan
from surrogate_nas.supernet.rules.momenta import Momenta
from surrogate_nas.supernet.shared_network import SharedNetwork
from surrogate_nas.supernet.training import train_step

IDENTITY = {"space": "4d2a", "data": "77aa", "seed": "0"}
KNOWN = {"schema": "2", "step": "7", "groups": "1", "samples": "0", "identity": json.dumps(IDENTITY)}
STATE = Checkpoint(
    7,
    {"a.weight": torch.randn(3, 2), "b": torch.randn(4)},
    ({"b": torch.randn(4)}, {}, {"a.weight": torch.randn(3, 2)}),
    torch.arange(5, dtype=torch.float64) / 3,
    {"a.weight": torch.randn(3, 2), "b": torch.randn(4)},
    17,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "supernets" / "member-0.safetensors"
    save_checkpoint(file, STATE, IDENTITY)
    return file


def test_what_was_saved_is_loaded(path: Path) -> None:
    loaded = load_checkpoint(path, IDENTITY)
    assert loaded.step == 7
    assert torch.equal(loaded.loss_sum, STATE.loss_sum)
    assert loaded.samples == 17
    assert len(loaded.momenta) == 3
    pairs = [(loaded.weights, STATE.weights), (loaded.mean, STATE.mean)]
    for ours, theirs in pairs + list(zip(loaded.momenta, STATE.momenta, strict=True)):
        assert ours.keys() == theirs.keys()
        assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_a_newer_checkpoint_replaces_the_older(path: Path) -> None:
    save_checkpoint(path, Checkpoint(8, {}, (), torch.zeros(5)), IDENTITY)
    assert load_checkpoint(path, IDENTITY).step == 8
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_an_older_checkpoint_of_the_same_training_does_not_replace_a_newer(path: Path) -> None:
    """A process that was cut off may wake up after another one has taken its training over."""
    before = path.read_bytes()
    save_checkpoint(path, replace(STATE, step=6), IDENTITY)
    assert path.read_bytes() == before
    save_checkpoint(path, replace(STATE, step=6), IDENTITY | {"seed": "1"})
    assert load_checkpoint(path, IDENTITY | {"seed": "1"}).step == 6


def test_a_loaded_checkpoint_outlives_its_file(path: Path) -> None:
    loaded = load_checkpoint(path, IDENTITY)
    save_checkpoint(path, Checkpoint(8, {}, (), torch.zeros(5)), IDENTITY)
    path.unlink()
    assert torch.equal(loaded.weights["b"], STATE.weights["b"])


@pytest.mark.parametrize("field", IDENTITY)
def test_a_checkpoint_of_something_else_is_refused_by_field(path: Path, field: str) -> None:
    before = path.read_bytes()
    expected = f"{path} was made with {field} = {IDENTITY[field]}, not other; use another --output-dir, or --overwrite"
    with pytest.raises(RunFolderError, match=re.escape(expected)):
        load_checkpoint(path, IDENTITY | {field: "other"})
    assert path.read_bytes() == before


def test_a_field_that_it_does_not_tell_is_a_difference(path: Path) -> None:
    with pytest.raises(RunFolderError, match=re.escape("made with member = None, not 1")):
        load_checkpoint(path, IDENTITY | {"member": "1"})


def check_refused(path: Path, message: str) -> None:
    before = path.read_bytes()
    with pytest.raises(StoreError, match=re.escape(message)):
        load_checkpoint(path, IDENTITY)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


@settings(max_examples=40, deadline=None)
@given(share=st.floats(0, 1, exclude_max=True))
def test_a_truncated_checkpoint_is_refused(tmp_path_factory: pytest.TempPathFactory, share: float) -> None:
    path = tmp_path_factory.mktemp("cut") / "member-0.safetensors"
    save_checkpoint(path, STATE, IDENTITY)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    check_refused(path, f"the checkpoint {path} is damaged or not one of this project")


@pytest.mark.parametrize("content", [b"", b"\0" * 64, b"\xff" * 64, b"{}", os.urandom(500)], ids=len)
def test_other_bytes_are_refused(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    check_refused(path, f"the checkpoint {path} is damaged or not one of this project")


@pytest.mark.parametrize(
    "metadata",
    [
        None,
        {"format": "pt"},
        KNOWN | {"step": "seven"},
        KNOWN | {"samples": "no"},
        KNOWN | {"step": "-1"},
        KNOWN | {"groups": "99999999"},
        KNOWN | {"identity": "[" * 100_000},
        KNOWN | {"identity": "5"},
        KNOWN | {"identity": "not json"},
        {"schema": "2", "step": "7"},
    ],
    ids=lambda metadata: str(metadata)[:80],
)
def test_foreign_safetensors_are_refused(path: Path, metadata: dict[str, str] | None) -> None:
    save_file({"loss_sum": torch.zeros(3)}, path, metadata)
    check_refused(path, f"the checkpoint {path} is damaged or not one of this project")


def test_a_checkpoint_without_a_training_curve_is_refused(path: Path) -> None:
    save_file({"weight.b": torch.zeros(3)}, path, KNOWN)
    check_refused(path, "is damaged or not one of this project")


def test_a_checkpoint_of_another_version_is_not_read_as_if_it_were_ours(path: Path) -> None:
    save_file(load_file(path), path, {"schema": "1", "step": "7", "identity": json.dumps(IDENTITY)})
    check_refused(path, "has version 1 and this program reads 2; remove it to train this supernet again")


def test_a_folder_in_its_place_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match="cannot be read: Is a directory"):
        load_checkpoint(tmp_path, IDENTITY)


def test_a_checkpoint_that_cannot_be_read_is_not_to_be_removed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: object, **__: object) -> bytes:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("surrogate_nas._support.tensor_files.safe_open", gone)
    assert load_checkpoint(path, IDENTITY).step == STATE.step  # where nothing is mapped
    monkeypatch.setattr(Path, "read_bytes", gone)
    with pytest.raises(UnreadableError, match="cannot be read: Input/output error") as caught:
        load_checkpoint(path, IDENTITY)
    assert "remove" not in str(caught.value)


@pytest.mark.parametrize(
    "held", [torch.tensor(1.0), torch.ones(3, 4), torch.ones(0), torch.ones(3).to(torch.bfloat16), torch.ones(3).int()]
)
def test_a_training_curve_is_a_row_of_floats(path: Path, held: torch.Tensor) -> None:
    save_file({"loss_sum": held}, path, KNOWN)
    check_refused(path, "loss_sum is ")


def test_a_full_disk_leaves_the_checkpoint_before(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = path.read_bytes()

    def full(target: Path, content: bytes) -> None:
        target.write_text("half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    expected = f"the checkpoint {path} cannot be written: No space left on device; the one before it is kept"
    with pytest.raises(TrainingError, match=re.escape(expected)):
        save_checkpoint(path, Checkpoint(8, {}, (), torch.zeros(5)), IDENTITY)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


@pytest.mark.posix
def test_a_limit_of_the_system_leaves_the_checkpoint_before(path: Path) -> None:
    before = path.read_bytes()
    resource = pytest.importorskip("resource")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
    try:
        with pytest.raises(TrainingError, match=re.escape(f"the checkpoint {path} cannot be written: ")):
            save_checkpoint(path, Checkpoint(8, {"a": torch.zeros(10_000)}, (), torch.zeros(5)), IDENTITY)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_folder_that_cannot_be_made_is_an_error_of_ours(path: Path) -> None:
    with pytest.raises(TrainingError, match="cannot be written"):
        save_checkpoint(path / "below a file" / "x.safetensors", STATE, IDENTITY)


MakePlan = Callable[..., SupernetPlan]


def trained(plan: SupernetPlan, steps: int = 3) -> tuple[SharedNetwork, Momenta]:
    """Returns a member after a few steps on few subnets, so that some momenta are missing."""
    network = plan.build(0).to(memory_format=torch.channels_last)
    momenta = Momenta(network, plan.settings)
    agenda = plan.agenda(plan.training(0))
    generator = torch.Generator().manual_seed(0)
    for step in range(steps):
        images = torch.randn(4, 1, 8, 8, generator=generator)
        train_step(network, momenta, agenda.step(step), images, torch.arange(4), 0)
    return network, momenta


def test_weights_and_momenta_are_put_back_where_they_were(plan_of: MakePlan, tmp_path: Path) -> None:
    plan = plan_of()
    network, momenta = trained(plan)
    buffers = momenta.buffers()
    assert 0 < len(buffers[0]) < len(list(network.parameters()))
    path = tmp_path / "x.safetensors"
    save_checkpoint(path, Checkpoint(3, dict(network.named_parameters()), buffers, torch.zeros(2)), IDENTITY)
    fresh, its_momenta = trained(plan, steps=0)
    state = load_checkpoint(path, IDENTITY)
    restore(path, state, fresh)
    its_momenta.restore(state.momenta)
    for (name, ours), theirs in zip(fresh.named_parameters(), network.parameters(), strict=True):
        assert torch.equal(ours, theirs), name
        assert ours.stride() == theirs.stride()
    restored = its_momenta.buffers()[0]
    assert restored.keys() == buffers[0].keys()
    for name, buffer in buffers[0].items():
        assert torch.equal(restored[name], buffer)


def test_a_mean_is_what_is_evaluated_and_not_what_is_trained_on(plan_of: MakePlan) -> None:
    network, _ = trained(plan_of(), steps=0)
    weights = {name: weight.detach().clone() for name, weight in network.named_parameters()}
    mean = {name: weight + 1 for name, weight in weights.items()}
    state = Checkpoint(3, weights, (), torch.zeros(2), mean, 4)
    restore_weights(Path("x"), state, network)
    assert all(torch.equal(weight, mean[name]) for name, weight in network.named_parameters())
    restore(Path("x"), state, network)
    assert all(torch.equal(weight, weights[name]) for name, weight in network.named_parameters())
    restore_weights(Path("x"), replace(state, samples=0), network)
    assert all(torch.equal(weight, weights[name]) for name, weight in network.named_parameters())


CHANGES = ["missing", "more", "shape", "momentum", "momentum shape", "mean", "mean missing"]


@pytest.mark.parametrize("change", CHANGES)
def test_weights_of_another_network_are_refused(plan_of: MakePlan, change: str) -> None:
    network, momenta = trained(plan_of())
    weights, buffers = dict(network.named_parameters()), momenta.buffers()[0]
    mean: dict[str, torch.Tensor] = dict(weights)
    name = next(iter(buffers))
    match change:
        case "missing":
            del weights[name]
        case "more":
            weights["name"] = torch.nn.Parameter(torch.zeros(2))
        case "shape":
            weights[name] = torch.nn.Parameter(weights[name][:1])
        case "momentum":
            buffers["name"] = torch.zeros(2)
        case "momentum shape":
            buffers[name] = buffers[name][:1]
        case "mean":
            mean[name] = mean[name][:1]
        case "mean missing":
            del mean[name]
    state = Checkpoint(3, weights, ({}, buffers), torch.zeros(2), mean, 1)
    named = "name" if change in ("more", "momentum") else name
    for put_back in (restore_weights, restore):
        with pytest.raises(RunFolderError, match=re.escape(f"x.safetensors is of another network: its {named}")):
            put_back(Path("x.safetensors"), state, network)
