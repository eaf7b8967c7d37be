"""Devices and processes of this machine."""

import re

import pytest
import torch

from surrogate_nas.errors import SettingsError
from surrogate_nas.runs.compute import resolve_compute, visible_gpus
from surrogate_nas.runs.settings import ComputeSettings


def test_missing_numbers_are_what_the_machine_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr("surrogate_nas.runs.compute.processor_count", lambda: 5)
    resolved = resolve_compute(ComputeSettings())
    assert (resolved.device, resolved.processes, resolved.threads) == ("cpu", 5, 1)
    assert resolve_compute(ComputeSettings(processes=7, threads=3)).processes == 7
    assert resolve_compute(resolved) == resolved


def test_a_gpu_is_used_by_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    resolved = resolve_compute(ComputeSettings())
    assert (resolved.device, resolved.processes) == ("cuda", 1)
    assert resolve_compute(ComputeSettings(device="cuda:1")).device == "cuda:1"
    with pytest.raises(SettingsError, match="'cuda:2' is not on this machine, which has 2 CUDA devices"):
        resolve_compute(ComputeSettings(device="cuda:2"))


@pytest.mark.parametrize("device", ["tpu", "meta", "", "cuda:x", "MPS"])
def test_other_devices_are_refused(device: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(f"must be auto, cpu, cuda[:n] or mps (got {device!r})")):
        resolve_compute(ComputeSettings(device=device))


def test_apple_s_gpu_is_used_where_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert resolve_compute(ComputeSettings()).device == "cpu"
    resolved = resolve_compute(ComputeSettings(device="mps"))
    assert (resolved.device, resolved.processes) == ("mps", 1)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(SettingsError, match=r"compute.device 'mps' is not on this machine"):
        resolve_compute(ComputeSettings(device="mps"))


def test_on_a_cluster_its_machines_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    resolved = resolve_compute(ComputeSettings(cluster="auto"))
    assert (resolved.device, resolved.processes) == ("cpu", None)
    assert resolve_compute(ComputeSettings(cluster="auto", gpus=0.5)).device == "cuda"
    assert resolve_compute(resolved) == resolved


@pytest.mark.parametrize(
    ("settings", "refusal"),
    [
        ({"cluster": "auto", "device": "cuda"}, "compute.device is cuda, and compute.gpus gives each process"),
        ({"cluster": "auto", "device": "cpu", "gpus": 1}, "set compute.gpus=1 for cuda, or 0 for cpu"),
        ({"gpus": 1}, "compute.gpus is for processes of a cluster; set compute.cluster too"),
    ],
)
def test_gpus_and_device_have_to_agree(settings: dict[str, object], refusal: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(refusal)):
        resolve_compute(ComputeSettings.model_validate(settings))


def test_there_are_processes_for_a_supernet_that_is_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    monkeypatch.setattr("surrogate_nas.runs.compute.processor_count", lambda: 3)
    for device, sharing, processes in (("cpu", 2, 3), ("cpu", 5, 5), ("auto", 2, 2), ("auto", 4, 4)):
        resolved = resolve_compute(ComputeSettings(device=device, processes_per_supernet=sharing))
        assert resolved.processes == processes
        assert resolve_compute(resolved) == resolved
    on_cluster = ComputeSettings(cluster="auto", gpus=1, processes_per_supernet=8)
    assert resolve_compute(on_cluster).processes is None


def test_processes_take_the_gpus_in_turn_where_no_gpu_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    assert visible_gpus(ComputeSettings(device="cuda")) == 4
    for device in ("cpu", "cuda:1", "mps"):
        assert visible_gpus(ComputeSettings(device=device)) == 0
    assert visible_gpus(ComputeSettings(device="cuda", cluster="auto", gpus=1)) == 0
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert visible_gpus(ComputeSettings(device="cuda")) == 0


@pytest.mark.parametrize(
    ("settings", "refusal"),
    [
        ({"processes": 1}, "compute.processes = 1 are too few for compute.processes_per_supernet = 2: give as many"),
        ({"processes": 1, "cluster": "auto"}, "compute.processes = 1 are too few for"),
        ({"device": "cuda:1"}, "needs compute.device cpu, or cuda for a GPU each (got 'cuda:1')"),
        ({"device": "mps"}, "needs compute.device cpu, or cuda for a GPU each (got 'mps')"),
        ({"device": "cuda", "processes": 4}, "a GPU each: there are 4 processes (compute.processes) and 2 GPUs"),
        ({"cluster": "auto", "gpus": 0.5}, "a GPU each, and compute.gpus = 0.5: set it to 1"),
    ],
)
def test_processes_that_cannot_share_a_supernet_are_refused(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, object], refusal: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    with pytest.raises(SettingsError, match=re.escape(refusal)):
        resolve_compute(ComputeSettings.model_validate(settings | {"processes_per_supernet": 2}))
