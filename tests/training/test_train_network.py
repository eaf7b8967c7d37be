"""Training learns, repeats itself, and continues where it was stopped as if it had not been."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file

from surrogate_nas.errors import RunFolderError, TrainingError
from surrogate_nas.training.train_network import NetworkJob, train_network
from tests.fixtures.no_double import no_double

Make = Callable[..., NetworkJob]


def run(job: NetworkJob, stop_after: int | None = None) -> tuple[object, list[int]]:
    steps: list[int] = []
    result = train_network(job, steps.append, lambda: stop_after is not None and len(steps) >= stop_after)
    return result, steps


@pytest.mark.slow
def test_it_learns_and_tells_its_progress(make_job: Make) -> None:
    result, steps = run(make_job(epochs=10))
    assert result.accuracy_percent > 85  # type: ignore[attr-defined]
    assert result.steps == 30  # type: ignore[attr-defined]
    assert steps == list(range(1, 31))


@pytest.mark.quick_cases(1)
@pytest.mark.parametrize("stop_after", [1, 4, 8])
def test_a_stopped_training_goes_on_to_the_same_end(make_job: Make, stop_after: int) -> None:
    whole = make_job()
    expected, _ = run(whole)
    weights = load_file(whole.checkpoint)
    whole.checkpoint.unlink()
    stopped, steps = run(whole, stop_after)
    assert stopped is None
    assert len(steps) == stop_after
    again, more = run(whole)
    assert more[0] == stop_after + 1
    assert again.accuracy_percent == expected.accuracy_percent  # type: ignore[attr-defined]
    assert again.loss == expected.loss  # type: ignore[attr-defined]
    for name, tensor in load_file(whole.checkpoint).items():
        assert torch.equal(tensor, weights[name]), name


def test_the_seed_decides(make_job: Make) -> None:
    one, _ = run(make_job())
    job = make_job()
    job.checkpoint.unlink()
    other, _ = run(replace(job, seed=8))
    assert one.loss != other.loss  # type: ignore[attr-defined]


def test_the_random_numbers_of_others_are_left_alone(make_job: Make) -> None:
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    run(make_job(), 0)
    assert torch.equal(torch.rand(3), expected)


def test_a_checkpoint_of_another_training_is_refused(make_job: Make) -> None:
    run(make_job(), 2)
    with pytest.raises(RunFolderError, match="was made with recipe"):
        run(make_job(epochs=5))
    with pytest.raises(RunFolderError, match="was made with code = 333132, not 333133"):
        run(make_job("333133"))


def test_a_loss_that_is_no_number_ends_it(make_job: Make) -> None:
    with pytest.raises(TrainingError, match=r"set a lower training\.learning_rate"):
        run(make_job(learning_rate=100, weight_decay=1, clip_norm=None, epochs=30))


def test_a_device_needs_no_double_precision(make_job: Make) -> None:
    with no_double():
        assert run(make_job(epochs=1))[0] is not None
