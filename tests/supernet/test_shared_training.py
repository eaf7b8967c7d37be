"""Supernets that two processes train: each on its part of every batch."""

import importlib
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from surrogate_nas._processes import slotted_workers
from surrogate_nas._processes.local_workers import LocalWorkers
from surrogate_nas._processes.workers import Workers
from surrogate_nas.data.settings import DataSettings
from surrogate_nas.errors import Interrupted, RunFolderError, SettingsError, TrainingError
from surrogate_nas.supernet.plan import SupernetPlan
from surrogate_nas.supernet.shared_network import SharedNetwork
from surrogate_nas.supernet.stage import Craft, Workplace, is_trained, train_stage
from tests.supernet.trainings import MakePlan, assert_identical, never

PlaceOf = Callable[[str], Workplace]
KINDS: dict[str, dict[str, Any]] = {
    "parents and members": {"groups": 2, "parent_share": 0.5, "inherit": "state", "sampler": "per_group"},
    "one supernet, clipped": {"preset": "spos", "clip_norm": 0.5, "weight_average": 0.5},
    "two momenta": {"preset": "dynas"},
    "distilled, an odd batch": {"split": "none", "sharing": "one", "sampler": "sandwich", "batch_size": 9},
    "gradients cut": {"split": "gradient", "split_rounds": 1, "split_batches": 2, "sampler": "uniform"},
}


@pytest.fixture(scope="module")
def tasks() -> Iterator[ModuleType]:
    """Returns tasks of processes that train together, under a name by which worker processes find them too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).resolve().parents[1] / "_processes"))
        yield importlib.import_module("group_tasks")


@pytest.fixture(scope="module")
def pool(tasks: ModuleType) -> Iterator[LocalWorkers]:
    with LocalWorkers(2) as workers:
        yield workers


@pytest.fixture
def place_of(images: Path, tmp_path: Path) -> PlaceOf:
    """Returns a maker of places where two processes share each training."""
    data = DataSettings(source="digits")
    return lambda name: Workplace(tmp_path / name, images, data, {"space": "s"}, sharing=2)


@contextmanager
def quiet(_title: str) -> Iterator[Callable[[int, int], None]]:
    yield lambda _done, _total: None


def weights(place: Workplace) -> dict[str, dict[str, Tensor]]:
    """Returns the content of all checkpoints by name."""
    return {path.name: load_file(path) for path in sorted(place.folder.glob("*.safetensors"))}


def in_parts(forward: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Returns the forward pass of a network that normalises every second image apart from the others."""

    def run(network: SharedNetwork, images: Tensor, code: Sequence[int]) -> Tensor:
        first, second = (forward(network, images[rank::2], code) for rank in range(2))
        scores = torch.empty(len(images), first.shape[1])
        scores[0::2], scores[1::2] = first, second
        return scores

    return run


class Inline(Workers):
    """Runs jobs in this process, one after another."""

    processes = 1

    def close(self) -> None:
        """Has nothing to end."""

    def run(self, task: Any, jobs: Sequence[Any], **callbacks: Any) -> None:  # noqa: ANN401
        for position, job in enumerate(jobs):
            callbacks["on_result"](position, task(job, lambda _: None, never))


@pytest.mark.quick_cases(1)
@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=pytest.mark.slow) if kind == "gradients cut" else kind for kind in KINDS]
)
def test_two_processes_train_what_one_does_that_normalises_the_parts_apart(
    plan_of: MakePlan, place_of: PlaceOf, pool: LocalWorkers, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """All weights, momenta, curves and cuts, up to the order of additions."""
    plan, shared = plan_of(steps=8, **KINDS[kind]), place_of("shared")
    train_stage(plan, shared, pool, quiet, never)
    assert is_trained(plan, shared.folder, shared.identity)
    alone = replace(place_of("alone"), sharing=1)
    monkeypatch.setattr(SharedNetwork, "forward", in_parts(SharedNetwork.forward))
    train_stage(plan, alone, Inline(), quiet, never)
    ours, theirs = weights(shared), weights(alone)
    assert ours.keys() == theirs.keys()
    for name, tensors in theirs.items():
        assert ours[name].keys() == tensors.keys()
        for part, tensor in tensors.items():
            torch.testing.assert_close(ours[name][part], tensor, rtol=1e-3, atol=1e-4, msg=f"{name}: {part}")
    assert [path.suffix for path in shared.folder.iterdir() if path.suffix == ".meeting"] == []


def stop_after(steps: int, plan: SupernetPlan, place: Workplace, pool: LocalWorkers) -> None:
    """Runs a stage and asks it to stop once it is so far."""
    seen = [0]

    @contextmanager
    def watching(_title: str) -> Iterator[Callable[[int, int], None]]:
        yield lambda done, _total: seen.append(done)

    with pytest.raises(Interrupted, match="stopped while training supernets"):
        train_stage(plan, place, pool, watching, lambda: seen[-1] >= steps)


@pytest.mark.slow
def test_a_stopped_stage_goes_on_as_if_it_had_not(
    plan_of: MakePlan, place_of: PlaceOf, pool: LocalWorkers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slotted_workers, "_POLL_SECONDS", 0.005)
    plan = plan_of(steps=300, preset="spos", weight_average=0.5)
    whole, parts = place_of("whole"), place_of("parts")
    train_stage(plan, whole, pool, quiet, never)
    for steps in (20, 150):
        stop_after(steps, plan, parts, pool)
    (parts.folder / "left.meeting").touch()  # by a process that was killed
    train_stage(plan, parts, pool, quiet, never)
    ours, theirs = weights(parts), weights(whole)
    assert ours.keys() == theirs.keys()
    for name, tensors in theirs.items():
        assert_identical(ours[name], tensors)
    assert not list(parts.folder.glob("*.meeting"))


@pytest.mark.slow
@pytest.mark.posix
def test_a_killed_process_ends_the_stage_in_a_line_and_loses_nothing(
    plan_of: MakePlan, place_of: PlaceOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slotted_workers, "_POLL_SECONDS", 0.005)
    plan = plan_of(steps=60, preset="spos", checkpoint_seconds=1e-9)
    whole, killed = place_of("whole"), place_of("killed")
    victims: list[int] = []

    @contextmanager
    def killing(_title: str) -> Iterator[Callable[[int, int], None]]:
        def told(done: int, _total: int) -> None:
            if done >= 5 and not victims:
                own = {number for one in workers._pools for number in one._processes}
                victims.extend(own)
                with suppress(ProcessLookupError):
                    os.kill(victims[-1], signal.SIGKILL)

        yield told

    with LocalWorkers(2) as workers:
        with pytest.raises(TrainingError, match="one of the 2 processes that share a supernet died"):
            train_stage(plan, killed, workers, killing, never)
        assert len(victims) == 2
        train_stage(plan, killed, workers, quiet, never)
        train_stage(plan, whole, workers, quiet, never)
    for name, tensors in weights(whole).items():
        assert_identical(weights(killed)[name], tensors)


@pytest.mark.parametrize("rank", [0, 1])
def test_an_error_of_one_process_is_raised_and_the_other_one_is_silent(
    plan_of: MakePlan, place_of: PlaceOf, pool: LocalWorkers, tasks: ModuleType, rank: int
) -> None:
    """Such as the first one's, which alone writes checkpoints."""
    place = replace(place_of("place"), craft=Craft(train=tasks.Failing(rank)))
    with pytest.raises(TrainingError, match=f"no room left for {rank}"):
        train_stage(plan_of(steps=4, preset="spos"), place, pool, quiet, never)


def test_another_number_of_processes_is_refused(plan_of: MakePlan, place_of: PlaceOf, pool: LocalWorkers) -> None:
    plan, place = plan_of(steps=4, preset="spos"), place_of("place")
    train_stage(plan, replace(place, identity={"space": "s", "processes": "2"}), pool, quiet, never)
    with pytest.raises(RunFolderError, match="was made with processes = 2, not 3"):
        train_stage(plan, replace(place, identity={"space": "s", "processes": "3"}), pool, quiet, never)


def test_too_few_workers_are_refused(plan_of: MakePlan, place_of: PlaceOf) -> None:
    with pytest.raises(SettingsError, match=r"compute\.processes_per_supernet = 2, and there are 1 worker processes"):
        train_stage(plan_of(), place_of("place"), Inline(), quiet, never)


@pytest.mark.slow
def test_processes_of_two_machines_share_a_supernet(
    plan_of: MakePlan, place_of: PlaceOf, pool: LocalWorkers, ray_workers: Callable[..., Workers]
) -> None:
    plan, here, there = plan_of(steps=20, preset="spos"), place_of("here"), place_of("there")
    train_stage(plan, here, pool, quiet, never)
    with ray_workers(2) as machines:  # type: ignore[attr-defined]
        train_stage(plan, there, machines, quiet, never)
    ours, theirs = weights(there), weights(here)
    assert ours.keys() == theirs.keys()
    for name, tensors in theirs.items():
        assert_identical(ours[name], tensors)
