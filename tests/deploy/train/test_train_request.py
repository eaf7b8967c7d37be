"""What is not asked for is left to the study and the recipe."""

from pathlib import Path

from surrogate_nas.deploy.train.train_request import TrainRequest


def test_defaults() -> None:
    request = TrainRequest(Path("run"))
    assert (request.epochs, request.seed, request.start) == (None, None, "scratch")
    assert (request.resume, request.overwrite, request.int8) == (False, False, False)
