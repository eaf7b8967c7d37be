"""A fine-tuning for 8 bits learns, continues where it was stopped, and belongs to one network."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from surrogate_nas.data.final_images import FinalImages
from surrogate_nas.data.images import ImageSet
from surrogate_nas.errors import RunFolderError, TrainingError
from surrogate_nas.training import eight_bits
from surrogate_nas.training.eight_bits import EightBitJob, tune_for_8_bits
from surrogate_nas.training.final import FinalJob, Trained
from surrogate_nas.training.recipes import final_recipe
from surrogate_nas.training.settings import FinalSettings

Make = Callable[..., EightBitJob]


def network(seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(144, 2)).eval()


@pytest.fixture
def make(tmp_path: Path, noise: Callable[[int, int], ImageSet]) -> Make:
    images = FinalImages.of(noise(96, 0), noise(40, 1), "own", ())
    given = FinalSettings(epochs=30, batch_size=32, learning_rate=0.5, quantisation_epochs=3)
    recipe = final_recipe(flip=False, images=96, image_size=8, given=given)
    recipe = replace(recipe, settings=recipe.settings.model_copy(update={"checkpoint_seconds": 0.0}))
    device = torch.device("cpu")

    def job(**changes: object) -> EightBitJob:
        before = FinalJob(network(), images, recipe, 5, tmp_path / "float.safetensors", {"code": "3"}, device)
        one = EightBitJob(before, network(), 3, signed=False, checkpoint=tmp_path / "int8.safetensors")
        return replace(one, **changes)  # type: ignore[arg-type]

    return job


def run(job: EightBitJob, stop_after: int | None = None) -> tuple[Trained | None, list[int]]:
    steps: list[int] = []
    done = tune_for_8_bits(
        job, lambda step, _: steps.append(step), lambda: stop_after is not None and len(steps) > stop_after
    )
    return done, steps


@pytest.mark.parametrize("signed", [False, True])
def test_it_learns_while_it_rounds(make: Make, signed: bool) -> None:
    job = make(epochs=20, signed=signed)
    tuned, steps = run(job)
    assert tuned is not None
    assert steps == list(range(61))
    assert tuned.accuracy_percent > 85
    assert not tuned.network.training
    # The network before stays as it was, and so do statistics; all weights are others.
    for name, tensor in tuned.network.state_dict().items():
        before = network().state_dict()[name]
        assert torch.equal(job.network.state_dict()[name], before)
        assert torch.equal(tensor, before) == (name not in dict(network().named_parameters())), name


@pytest.mark.quick_cases(2)
@pytest.mark.parametrize("stop_after", [0, 1, 3, 8])
def test_a_stopped_one_goes_on_to_the_same_weights(make: Make, stop_after: int) -> None:
    whole, _ = run(make())
    assert whole is not None
    make().checkpoint.unlink()
    stopped, _ = run(make(), stop_after)
    assert stopped is None
    again, more = run(make())
    assert again is not None
    assert more[0] == stop_after
    assert (again.accuracy_percent, again.loss) == (whole.accuracy_percent, whole.loss)
    for name, tensor in whole.network.state_dict().items():
        assert torch.equal(again.network.state_dict()[name], tensor), name


def test_another_network_or_form_is_refused(make: Make) -> None:
    run(make())
    with pytest.raises(RunFolderError, match="was made with weights = "):
        run(make(network=network(1)))
    with pytest.raises(RunFolderError, match="activations of 8 bits = unsigned, not signed"):
        run(make(signed=True))


def test_a_network_that_cannot_be_rewritten_is_said(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise ValueError("no graph\nof this")

    monkeypatch.setattr(eight_bits, "FakeQuantised", refuse)
    with pytest.raises(TrainingError, match=r"cannot be trained for 8 bits: no graph; set training\.quantisation_epo"):
        run(make())


def test_an_error_without_words_is_named_by_its_kind(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setattr(eight_bits, "FakeQuantised", refuse)
    with pytest.raises(TrainingError, match="cannot be trained for 8 bits: AssertionError; set training"):
        run(make())


def test_the_recipe_before_is_the_same_with_and_without(make: Make) -> None:
    settings = make().before.recipe.settings
    assert settings.identity() == settings.model_copy(update={"quantisation_epochs": 0}).identity()
    assert make().before.recipe.words().endswith("; 8-bit files: 3 epochs of quantisation-aware training after it")
