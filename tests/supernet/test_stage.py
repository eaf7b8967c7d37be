"""Whole stages: trainings begin from the right weights, and a stop at any point changes nothing."""

import json
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from surrogate_nas._processes import slotted_workers
from surrogate_nas._processes.local_workers import LocalWorkers
from surrogate_nas._processes.workers import Workers
from surrogate_nas._support.files import write_json
from surrogate_nas.data.settings import DataSettings
from surrogate_nas.errors import Interrupted, RunFolderError, StoreError, TrainingError
from surrogate_nas.space.kinds.cell.space import CellSpace
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.supernet.checkpoint import load_checkpoint
from surrogate_nas.supernet.plan import SupernetPlan, make_plan
from surrogate_nas.supernet.settings import SupernetSettings
from surrogate_nas.supernet.stage import Craft, Workplace, check_stage, is_trained, known_plan, train_stage
from surrogate_nas.supernet.training import TrainingJob, train_member

MakePlan = Callable[..., SupernetPlan]


@pytest.fixture
def plan_of(triangle: CellSpace, network: NetworkSpec) -> MakePlan:
    """Returns a maker of plans of a few steps on a small space."""

    def make(seed: int = 3, **settings: object) -> SupernetPlan:
        few: dict[str, object] = {"steps": 12, "batch_size": 8, "checkpoint_seconds": 1e9} | settings
        return make_plan(triangle, network, SupernetSettings.model_validate(few), seed)

    return make


GRADIENT = {"split": "gradient", "split_batches": 2, "steps": 12}
KINDS: dict[str, dict[str, Any]] = {
    "edge": {"preset": "fsnas", "momentum_groups": "separated", "weight_average": 0.7},
    "gradient": GRADIENT | {"sampler": "uniform", "weight_average": 0.5},
    "gradient and all else": GRADIENT
    | {"split_rounds": 1, "sampler": "fair", "schedule": "complexity", "momentum_groups": "separated"},
    "soft branches": {"preset": "soft", "parent_share": 0.5, "label_both": False, "scale_architectures": 1},
    "bands with a parent": {"parent_share": 0.5, "inherit": "state", "sampler": "per_group"},
}


class Inline(Workers):
    """Runs jobs in this process, one after the other; stops, or is asked to, after so many steps and mini-batches."""

    processes = 1

    def __init__(self, limit: int | None = None) -> None:
        self.left = limit

    def close(self) -> None:
        """Has nothing to end."""

    def run(
        self,
        task: Callable[..., Any],
        jobs: Sequence[Any],
        *,
        on_result: Callable[[int, Any], None],
        on_progress: Callable[[int], None],
        should_stop: Callable[[], bool],
        on_death: Callable[[int, str], None] | None = None,
    ) -> None:
        del should_stop, on_death
        finished = 0
        for position, job in enumerate(jobs):
            told = [0]

            def report(done: int, before: int = finished, told: list[int] = told) -> None:
                told.append(done)
                on_progress(before + done)

            on_result(position, task(job, report, self._stopped))
            finished += told[-1]

    def _stopped(self) -> bool:
        if self.left is None:
            return False
        self.left -= 1
        return self.left < 0


class Told:
    """A progress bar."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, int]] = []

    @contextmanager
    def __call__(self, title: str) -> Iterator[Callable[[int, int], None]]:
        assert title.startswith("supernets (")
        yield lambda done, total: self.seen.append((done, total))


@pytest.fixture
def place_of(images: Path, tmp_path: Path) -> Callable[[str], Workplace]:
    return lambda name: Workplace(tmp_path / name, images, DataSettings(source="digits"), {"space": "s"})


PlaceOf = Callable[[str], Workplace]


def run(plan: SupernetPlan, place: Workplace, limit: int | None = None) -> SupernetPlan:
    return train_stage(plan, place, Inline(limit), Told(), lambda: False)


def contents(folder: Path) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix == ".json":
            files[path.name] = path.read_bytes()
        else:
            files |= {f"{path.name}/{name}": value.numpy().tobytes() for name, value in load_file(path).items()}
    return files


@pytest.mark.quick_cases(1)
@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=pytest.mark.slow if kind == "gradient" else ()) for kind in KINDS]
)
@pytest.mark.parametrize("limit", [2, pytest.param(5, marks=pytest.mark.slow)])
def test_stops_anywhere_change_nothing(plan_of: MakePlan, place_of: PlaceOf, kind: str, limit: int) -> None:
    plan = plan_of(**KINDS[kind])
    whole = run(plan, place_of("whole"))
    parts = place_of("parts")
    for _ in range(200):
        check_stage(plan, parts.folder, parts.identity)
        with suppress(Interrupted):
            stopped = run(plan, parts, limit)
            break
        assert not is_trained(plan, parts.folder, parts.identity)
    assert stopped.names == whole.names
    assert is_trained(plan, parts.folder, parts.identity)
    assert contents(parts.folder) == contents(place_of("whole").folder)


@pytest.mark.slow
def test_stops_change_nothing_on_folds_of_the_images(plan_of: MakePlan, place_of: PlaceOf) -> None:
    plan = replace(plan_of(parent_share=0.5, inherit="state", steps=6), folds=3)
    run(plan, place_of("whole"))
    parts = place_of("parts")
    while not is_trained(plan, parts.folder, parts.identity):
        with suppress(Interrupted):
            run(plan, parts, 4)
    made = contents(parts.folder)
    assert made == contents(place_of("whole").folder)
    assert len({name.split("/")[0] for name in made}) == 9  # a parent and two members on each fold
    with pytest.raises(RunFolderError, match="fold"):
        check_stage(replace(plan, folds=2), parts.folder, parts.identity)
    # The first fold is the study's own division, and what was trained without folds is used for it.
    once = place_of("once")
    run(replace(plan, folds=1), once)
    assert contents(once.folder).items() <= made.items()


@pytest.mark.slow
@pytest.mark.posix
def test_a_killed_process_loses_nothing(plan_of: MakePlan, place_of: PlaceOf, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = plan_of(**GRADIENT, split_rounds=1, checkpoint_seconds=1e-9)
    run(plan, place_of("whole"))
    place, kills = place_of("killed"), [12]
    monkeypatch.setattr(slotted_workers, "_POLL_SECONDS", 0.005)

    @contextmanager
    def kill(_title: str) -> Iterator[Callable[[int, int], None]]:
        def advance(done: int, _total: int) -> None:
            if kills and done >= kills[0]:
                for process in multiprocessing.active_children():
                    assert process.pid is not None
                    with suppress(ProcessLookupError):
                        os.kill(process.pid, signal.SIGKILL)

        yield advance

    while not is_trained(plan, place.folder, place.identity):
        with LocalWorkers(1) as pool, suppress(TrainingError):
            train_stage(plan, place, pool, kill, lambda: False)
        if kills:
            kills.pop(0)
    assert contents(place.folder) == contents(place_of("whole").folder)


class TestInheritance:
    @staticmethod
    def begun(plan: SupernetPlan, place: Workplace, member: int) -> dict[str, torch.Tensor]:
        """Returns the weights that a member begins with."""
        training = plan.training(member)
        asked = iter(range(1))
        job = place.job(plan, training)
        job.checkpoint.unlink(missing_ok=True)
        patch = pytest.MonkeyPatch()
        # A step that changes nothing, since a stop before the first step writes nothing.
        patch.setattr("surrogate_nas.supernet.training.train_step", lambda _n, _m, step, *_: [1.0] * len(step.codes))
        with patch.context():
            train_member(job, lambda _: None, lambda: next(asked, None) is None)
        patch.undo()
        return load_file(job.checkpoint)

    @staticmethod
    def part(tensors: dict[str, torch.Tensor], prefix: str) -> dict[str, bytes]:
        return {name: value.numpy().tobytes() for name, value in tensors.items() if name.startswith(prefix)}

    def test_weights_are_the_parents_and_momenta_begin_anew(self, plan_of: MakePlan, place_of: PlaceOf) -> None:
        plan, place = plan_of(preset="fsnas"), place_of("edge")
        run(plan, place)
        parent = load_file(place.folder / "parent.safetensors")
        for member in range(4):
            first = self.begun(plan, place, member)
            assert self.part(first, "weight.") == self.part(parent, "weight.")
            assert not self.part(first, "momentum.")

    def test_state_is_the_parents_altogether(self, plan_of: MakePlan, place_of: PlaceOf) -> None:
        plan, place = plan_of(**GRADIENT), place_of("gradient")
        plan = run(plan, place)
        for member, name in enumerate(["parent-0", "parent-0", "parent-1", "parent-1"]):
            parent, first = load_file(place.folder / f"{name}.safetensors"), self.begun(plan, place, member)
            assert self.part(first, "weight.") == self.part(parent, "weight.")
            assert self.part(first, "momentum.") == self.part(parent, "momentum.") != {}

    @pytest.mark.slow
    def test_a_final_restart_takes_new_weights(self, plan_of: MakePlan, place_of: PlaceOf) -> None:
        plan, place = plan_of(**GRADIENT, inherit="nothing"), place_of("restart")
        plan = run(plan, place)
        first = self.begun(plan, place, 2)
        expected = {f"weight.{name}": weight.detach() for name, weight in plan.build(2).named_parameters()}
        assert self.part(first, "weight.") == self.part(expected, "weight.")
        assert not self.part(first, "momentum.")


def test_progress_ends_where_it_said_it_would(plan_of: MakePlan, place_of: PlaceOf) -> None:
    plan, told = plan_of(**GRADIENT), Told()
    train_stage(plan, place_of("told"), Inline(), told, lambda: False)
    totals = {total for _, total in told.seen}
    done = [done for done, _ in told.seen]
    assert len(totals) == 1
    assert done == sorted(done)
    assert done[-1] == totals.pop()


def test_what_is_done_is_left_alone_and_only_what_is_missing_made_again(plan_of: MakePlan, place_of: PlaceOf) -> None:
    plan, place = plan_of(**GRADIENT), place_of("again")
    run(plan, place)
    before = contents(place.folder)
    made: list[str] = []

    def noted(job: TrainingJob, report: Callable[[int], None], stopped: Callable[[], bool]) -> bool:
        made.append(job.training.name)
        return train_member(job, report, stopped)

    place = replace(place, craft=Craft(train=noted))
    run(plan, place)
    (place.folder / "parent-0.safetensors").unlink()  # its members have begun, so it is no longer needed
    run(plan, place)
    assert made == []
    (place.folder / "member-1.safetensors").unlink()
    run(plan, place)
    assert made == ["parent-0", "1"]
    assert contents(place.folder) == before


def test_a_known_plan_is_what_the_files_say(plan_of: MakePlan, place_of: PlaceOf) -> None:
    plan, place = plan_of(**GRADIENT), place_of("known")
    assert known_plan(plan, place.folder, place.identity) is plan
    trained = run(plan, place)
    assert trained.is_known
    assert known_plan(plan, place.folder, place.identity).cuts == trained.cuts
    (place.folder / "parent-1.json").unlink()
    assert len(known_plan(plan, place.folder, place.identity).cuts) == 1
    assert not is_trained(plan, place.folder, place.identity)


def test_files_of_something_else_are_named(plan_of: MakePlan, place_of: PlaceOf) -> None:
    plan, place = plan_of(**GRADIENT, split_rounds=1), place_of("other")
    run(plan, place)
    with pytest.raises(RunFolderError, match="was made with space = s, not t"):
        check_stage(plan, place.folder, {"space": "t"})
    cut = place.folder / "parent.json"
    content = cut.read_text()
    cut.write_text(content[:50])
    with pytest.raises(StoreError, match=r"parent\.json"):
        check_stage(plan, place.folder, place.identity)
    # Members of another partition are not used for this one.
    stored = json.loads(content)
    write_json(cut, stored | {"choices": stored["choices"][::-1]})
    with pytest.raises(RunFolderError, match="was made with subspace = "):
        check_stage(plan, place.folder, place.identity)


def test_a_mean_is_kept_by_all_that_labels_may_ask(plan_of: MakePlan, place_of: PlaceOf) -> None:
    plan, place = plan_of(preset="fsnas", weight_average=0.5), place_of("mean")
    run(plan, place)
    for name, samples in (("parent", 4), ("member-2", 2)):
        state = load_checkpoint(place.folder / f"{name}.safetensors", place.identity)
        assert state.samples == samples
        assert state.mean.keys() == state.weights.keys()
    twice = plan_of(**KINDS["gradient"])
    assert [twice.is_evaluated(phase[0]) for phase in twice.phases] == [False, True, True]


def test_a_mean_is_the_parents_where_a_subspace_keeps_its_weights(plan_of: MakePlan, place_of: PlaceOf) -> None:
    plan, place = plan_of(**KINDS["soft branches"], weight_average=0.5), place_of("mean")
    run(plan, place)
    names = ("parent", "member-0", "member-1")
    parent, branch, kept = (load_checkpoint(place.folder / f"{name}.safetensors", place.identity) for name in names)
    assert parent.samples == kept.samples == branch.samples == 3
    assert all(torch.equal(parent.mean[name], kept.mean[name]) for name in parent.mean)
    assert not all(torch.equal(parent.mean[name], branch.mean[name]) for name in parent.mean)
    assert not all(torch.equal(kept.mean[name], kept.weights[name]) for name in kept.mean)


def test_a_subspace_that_its_parent_keeps_has_the_parents_weights(plan_of: MakePlan, place_of: PlaceOf) -> None:
    plan, place = plan_of(**KINDS["soft branches"], replicas=2), place_of("soft")
    run(plan, place)
    for parent, kept, branch in (("parent", 1, 0), ("parent-of-1", 3, 2)):
        files = (f"{parent}.safetensors", f"member-{kept}.safetensors", f"member-{branch}.safetensors")
        of_parent, of_kept, of_branch = (load_file(place.folder / name) for name in files)
        weights = [name for name in of_parent if name.startswith("weights")] or list(of_parent)
        assert all(torch.equal(of_parent[name], of_kept[name]) for name in weights if "loss" not in name)
        assert not all(torch.equal(of_parent[name], of_branch[name]) for name in weights if "loss" not in name)
    # A parent that no label needs is not made again, and one whose labels are the scale is.
    (place.folder / "parent.safetensors").unlink()
    assert is_trained(plan, place.folder, place.identity)
    asking = plan_of(**KINDS["soft branches"] | {"parent_keeps": 0}, replicas=2)
    assert asking.asks_parents
    assert not is_trained(asking, place_of("other").folder, place.identity)
    other = place_of("other")
    run(asking, other)
    before = load_file(other.folder / "parent.safetensors")
    (other.folder / "parent.safetensors").unlink()
    assert not is_trained(asking, other.folder, other.identity)
    run(asking, other)
    again = load_file(other.folder / "parent.safetensors")
    assert all(torch.equal(before[name], again[name]) for name in before)
