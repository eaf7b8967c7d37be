"""Final trainings on a GPU: they learn in half precision, go on after a stop, and see the images that a CPU sees."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from surrogate_nas.data.augmentation.augmented import Augmentation, AugmentedBatches
from surrogate_nas.data.final_images import FinalImages
from surrogate_nas.data.images import ImageSet
from surrogate_nas.training.final import FinalJob
from surrogate_nas.training.train_network import NetworkJob
from tests.training.test_final import make as make
from tests.training.test_final import network, run
from tests.training.test_train_network import run as run_finalist

pytestmark = pytest.mark.gpu
GPU = torch.device("cuda:0")
PIECES = {"flip": True, "shift": 2, "crop": 0.5, "trivial_augment": 1.0, "erasing": 0.5, "mixup": 0.3, "cutmix": 1.0}


def test_it_learns_in_half_precision(make: Callable[..., FinalJob]) -> None:
    trained, _ = run(make(epochs=12, device=GPU))
    assert trained is not None
    assert (trained.precision, trained.accuracy_percent > 85) == ("bfloat16", True)
    assert next(trained.network.parameters()).device.type == "cpu"


def test_a_teacher_is_on_the_gpu_too(make: Callable[..., FinalJob]) -> None:
    job = make(epochs=3, device=GPU, teacher=network(3))
    recipe = replace(job.recipe, settings=job.recipe.settings.model_copy(update={"teacher_weight": 0.5}))
    assert run(replace(job, recipe=recipe))[0] is not None


def test_a_stopped_training_goes_on(make: Callable[..., FinalJob]) -> None:
    whole, _ = run(make(device=GPU))
    make().checkpoint.unlink()
    assert run(make(device=GPU), 5)[0] is None
    again, steps = run(make(device=GPU, network=network(9)))
    assert steps[0] == 5
    assert whole is not None
    assert again is not None
    for name, tensor in whole.network.state_dict().items():
        torch.testing.assert_close(again.network.state_dict()[name], tensor, rtol=0.02, atol=0.02)


@pytest.mark.parametrize("piece", PIECES)
def test_images_are_changed_as_on_the_cpu(noise: Callable[[int, int], ImageSet], piece: str) -> None:
    images = FinalImages.of(noise(96, 0), noise(40, 1), "own", ())
    augmentation = replace(Augmentation(), **{piece: PIECES[piece]})  # type: ignore[arg-type]
    here, there = (AugmentedBatches(one, 32, seed=1, augmentation=augmentation) for one in (images, images.to(GPU)))
    for step in range(4):
        (expected, classes), (got, others) = here.batch(step), there.batch(step)
        assert got.device.type == "cuda"
        torch.testing.assert_close(got.cpu(), expected, rtol=0, atol=0.05)
        torch.testing.assert_close(others.cpu(), classes)


def test_a_finalist_learns(make_job: Callable[..., NetworkJob]) -> None:
    result, _ = run_finalist(replace(make_job(epochs=10), device="cuda:0"))
    assert result.accuracy_percent > 85  # type: ignore[attr-defined]
