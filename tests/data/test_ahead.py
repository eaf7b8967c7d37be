"""Batches that are made ahead are the same ones, whatever the timing, and errors come where the batch is asked for."""

import threading
import time

import pytest
import torch

from surrogate_nas.data.ahead import Ahead, Batch


def make(step: int) -> Batch:
    time.sleep(0.001 * (step % 3))
    return torch.full((2, 2), float(step)), torch.tensor([step])


def test_batches_come_in_any_order_that_is_asked_for() -> None:
    with Ahead(make, 20) as ahead:
        for step in (0, 1, 2, 7, 8, 3, 19):
            images, labels = ahead.batch(step)
            assert set(images.flatten().tolist()) == {step}
            assert labels.tolist() == [step]


def test_the_next_one_is_made_meanwhile_and_none_beyond_the_last() -> None:
    made: list[int] = []
    threads = set()

    def noting(step: int) -> Batch:
        made.append(step)
        threads.add(threading.get_ident())
        return make(step)

    with Ahead(noting, 3) as ahead:
        ahead.batch(0)
        deadline = time.monotonic() + 10
        while made != [0, 1] and time.monotonic() < deadline:
            time.sleep(0.001)
        assert made == [0, 1]
        ahead.batch(1)
        ahead.batch(2)
    assert made == [0, 1, 2]
    assert len(threads) == 1
    assert threading.get_ident() not in threads


def test_an_error_is_raised_where_its_batch_is_asked_for() -> None:
    def failing(step: int) -> Batch:
        if step == 1:
            raise ValueError("no such batch")
        return make(step)

    with Ahead(failing, 5) as ahead:
        ahead.batch(0)
        with pytest.raises(ValueError, match="no such batch"):
            ahead.batch(1)
        assert ahead.batch(2)[1].tolist() == [2]
    assert not [one for one in threading.enumerate() if one.name.startswith("batches")]
