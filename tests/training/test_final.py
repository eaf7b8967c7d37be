"""A final training learns, repeats itself, continues where it was stopped, and runs in two processes."""

import math
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from surrogate_nas.data.final_images import FinalImages
from surrogate_nas.data.images import ImageSet
from surrogate_nas.errors import RunFolderError, TrainingError
from surrogate_nas.training import final as module
from surrogate_nas.training.final import FinalJob, Trained, train_final
from surrogate_nas.training.learner import Learner
from surrogate_nas.training.recipes import final_recipe
from surrogate_nas.training.settings import FinalSettings

REPOSITORY = Path(__file__).resolve().parents[2]
Make = Callable[..., FinalJob]


def network(seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(144, 2))


@pytest.fixture
def make(tmp_path: Path, noise: Callable[[int, int], ImageSet]) -> Make:
    images = FinalImages.of(noise(96, 0), noise(40, 1), "own", ())

    def job(learning_rate: float = 0.05, epochs: int = 4, **changes: object) -> FinalJob:
        recipe = final_recipe(
            flip=False,
            images=96,
            image_size=8,
            given=FinalSettings(epochs=epochs, batch_size=32, learning_rate=learning_rate),
        )
        recipe = replace(recipe, settings=recipe.settings.model_copy(update={"checkpoint_seconds": 0.0}))
        one = FinalJob(network(), images, recipe, 5, tmp_path / "c.safetensors", {"code": "3"}, torch.device("cpu"))
        return replace(one, **changes)  # type: ignore[arg-type]

    return job


def run(job: FinalJob, stop_after: int | None = None) -> tuple[Trained | None, list[int]]:
    steps: list[int] = []
    done = train_final(
        job, lambda step, _: steps.append(step), lambda: stop_after is not None and len(steps) > stop_after
    )
    return done, steps


@pytest.mark.parametrize("by", ["draws", "weights"])
def test_classes_count_the_same_by_draws_or_by_weights(make: Make, monkeypatch: pytest.MonkeyPatch, by: str) -> None:
    weighed: list[torch.Tensor | None] = []
    monkeypatch.setattr(Learner, "weigh", lambda _, weights: weighed.append(weights))
    job = make(epochs=1)
    few = torch.cat([torch.nonzero(job.images.train.labels == k).flatten()[:count] for k, count in ((0, 32), (1, 8))])
    images = replace(job.images, train=job.images.train.take(few), balance=True, weighted=by == "weights")
    run(replace(job, images=images))
    (found,) = weighed
    assert (None if found is None else found.tolist()) == (pytest.approx([0.625, 2.5]) if by == "weights" else None)


def test_the_loss_of_every_epoch_is_recorded_and_no_epoch_twice(make: Make) -> None:
    whole: list[tuple[int, float]] = []
    run(make(record=lambda *one: whole.append(one)))
    assert [epoch for epoch, _ in whole] == [1, 2, 3, 4]
    assert whole[-1][1] < whole[0][1]
    parts: list[tuple[int, float]] = []
    job = make(record=lambda *one: parts.append(one), epochs=3)
    job.checkpoint.unlink()
    run(job, stop_after=6)
    run(job)
    assert [epoch for epoch, _ in parts] == [1, 2, 3]


def test_it_learns_and_tells_its_progress(make: Make) -> None:
    trained, steps = run(make(epochs=12))
    assert trained is not None
    assert trained.accuracy_percent > 85
    assert math.isfinite(trained.loss)
    assert steps == list(range(37))
    assert not trained.network.training


@pytest.mark.parametrize("stop_after", [0, 1, 11])
def test_a_stopped_training_goes_on_to_the_same_weights(make: Make, stop_after: int) -> None:
    whole, _ = run(make())
    make().checkpoint.unlink()
    stopped, steps = run(make(), stop_after)
    assert stopped is None
    assert len(steps) == stop_after + 1
    # Weights that a new process begins with are replaced.
    again, more = run(make(network=network(9)))
    assert more[0] == stop_after
    assert whole is not None
    assert again is not None
    assert again.accuracy_percent == whole.accuracy_percent
    for name, tensor in whole.network.state_dict().items():
        assert torch.equal(again.network.state_dict()[name], tensor), name


def test_a_finished_training_is_not_done_again(make: Make) -> None:
    whole, _ = run(make())
    again, steps = run(make(network=network(9)))
    assert steps == [12]
    assert whole is not None
    assert again is not None
    assert again.loss == whole.loss


def test_a_checkpoint_of_another_training_is_refused(make: Make) -> None:
    run(make(), 2)
    for change, words in (({"seed": 6}, "seed = 5, not 6"), ({"identity": {"code": "4"}}, "code = 3, not 4")):
        with pytest.raises(RunFolderError, match=words):
            run(make(**change))
    with pytest.raises(RunFolderError, match=r"training\.epochs = 4, not 9"):
        run(make(epochs=9))


def test_a_loss_that_is_no_number_ends_it(make: Make) -> None:
    broken = network()
    with torch.no_grad():
        broken[4].bias.fill_(math.inf)  # type: ignore[index]
    with pytest.raises(TrainingError, match=r"start over with a lower --learning-rate than 0\.05 and --overwrite"):
        run(make(network=broken))


def test_a_teacher_changes_what_is_learned_and_stays_as_it_is(make: Make) -> None:
    alone, _ = run(make())
    make().checkpoint.unlink()
    teacher = network(3)
    before = {name: tensor.clone() for name, tensor in teacher.state_dict().items()}
    taught, _ = run(make(teacher=teacher, identity={"code": "3", "teacher": "4"}))
    assert alone is not None
    assert taught is not None
    assert all(torch.equal(tensor, before[name]) for name, tensor in teacher.state_dict().items())
    assert not torch.equal(taught.network[4].weight, alone.network[4].weight)  # type: ignore[index]
    with pytest.raises(RunFolderError, match="teacher = 4, not none"):
        run(make(identity={"code": "3", "teacher": "none"}))


def test_the_precision_that_a_training_began_with_stays(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    decided: list[str] = []

    def decide(*_: object) -> str:
        decided.append(("bfloat16", "float32")[len(decided)])
        return decided[-1]

    monkeypatch.setattr(module, "resolved_precision", decide)
    whole, _ = run(make())
    assert whole is not None
    make().checkpoint.unlink()
    decided.clear()
    assert run(make(), 5)[0] is None
    again, _ = run(make())
    assert again is not None
    assert (whole.precision, again.precision, decided) == ("bfloat16", "bfloat16", ["bfloat16"])
    assert again.loss == whole.loss


def test_mixed_and_augmented_trainings_continue_to_the_same_weights(make: Make) -> None:
    recipe = make().recipe
    changes = {"crop": 0.5, "trivial_augment": 0.5, "erasing": 0.2, "mixup": 0.3, "cutmix": 1.0}
    recipe = replace(recipe, settings=recipe.settings.model_copy(update=changes))
    whole, _ = run(make(recipe=recipe))
    make().checkpoint.unlink()
    assert run(make(recipe=recipe), 7)[0] is None
    again, _ = run(make(recipe=recipe))
    assert whole is not None
    assert again is not None
    assert all(torch.equal(*pair) for pair in zip(whole.network.parameters(), again.network.parameters(), strict=True))


@pytest.mark.slow
def test_two_processes_train_one_network(tmp_path: Path) -> None:
    script = Path(__file__).with_name("two_processes.py")
    line = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", str(script)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(
        [*line, str(tmp_path)], env=environment, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr

    def weights(name: str) -> dict[str, torch.Tensor]:
        state: dict[str, torch.Tensor] = torch.load(tmp_path / f"{name}.pt", weights_only=True)
        return state

    for name, tensor in weights("whole-0").items():
        assert torch.equal(weights("again-0")[name], tensor), name
        # Statistics come from the first process, weights are common to all.
        if "running" not in name:
            assert torch.equal(weights("whole-1")[name], tensor), name
