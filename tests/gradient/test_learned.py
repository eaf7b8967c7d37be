"""The result of a finished search: an architecture, judged where the method judges, and probabilities."""

import numpy as np
import pytest

from surrogate_nas.errors import StoreError
from surrogate_nas.gradient.learned import read_learned
from surrogate_nas.gradient.learning import Learner, run_learning
from tests.gradient.conftest import MakeJob


def test_a_finished_search_gives_its_likeliest_connected_architecture(job_of: MakeJob) -> None:
    job = job_of("darts", rate=0.1)
    run_learning(job, lambda _: None, lambda: False)
    learned, space = read_learned(job), job.space
    codes = space.all_codes()[space.is_connected(space.all_codes())]
    log_probability = learned.log_probabilities(codes)
    assert learned.code.tolist() == codes[log_probability.argmax()].tolist()
    assert log_probability.max() > np.log(1 / 64)  # it has learnt


@pytest.mark.parametrize("method", ["setn", "rsps", "enas"])
def test_candidates_are_judged_on_the_shared_weights(job_of: MakeJob, method: str) -> None:
    job = job_of(method, candidates=12)
    run_learning(job, lambda _: None, lambda: False)
    learned, learner = read_learned(job), Learner(job)
    codes = job.space.all_codes()[job.space.is_connected(job.space.all_codes())]
    accuracies = np.array([learner.accuracy(code) for code in codes])
    assert learner.accuracy(learned.code) >= np.median(accuracies)
    assert learned.collapse.judged


def test_an_unfinished_search_is_refused(job_of: MakeJob) -> None:
    job = job_of("darts")
    Learner(job).save()
    with pytest.raises(StoreError, match="stopped at step 0 of 12"):
        read_learned(job)
