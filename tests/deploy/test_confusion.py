"""Recalls, balanced accuracy and mistakes agree with scikit-learn and with counts by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score, confusion_matrix

from surrogate_nas.deploy.accuracy import Accuracy
from surrogate_nas.deploy.confusion import balanced, confusion_of, mistakes, recalls

NAMES = ("ant", "bee", "cat", "dog")
PAIRS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=60)


@given(pairs=PAIRS)
def test_counts_and_balanced_accuracy_are_scikit_learn_s(pairs: list[tuple[int, int]]) -> None:
    labels, named = np.array(pairs, dtype=np.int64).T
    confusion = confusion_of(labels, named, NAMES)
    counts = [[confusion.get(true, {}).get(other, 0) for other in NAMES] for true in NAMES]
    assert counts == confusion_matrix(labels, named, labels=range(4)).tolist()
    mean = balanced(recalls(confusion).values())
    present = np.unique(labels)
    recall = np.mean([np.mean(named[labels == label] == label) for label in present])
    assert mean.percent == pytest.approx(100 * recall)
    if set(named) <= set(present.tolist()) and len(present) > 1:  # otherwise scikit-learn warns
        assert mean.percent == pytest.approx(100 * balanced_accuracy_score(labels, named))
    assert -1e-9 <= mean.low <= mean.percent <= mean.high <= 100 + 1e-9
    assert mean.images == len(labels)


def test_the_interval_is_that_of_the_mean_of_independent_shares() -> None:
    one = Accuracy.of(80, 100)
    alone = balanced([one])
    assert (alone.percent, alone.low, alone.high) == pytest.approx((one.percent, one.low, one.high))
    # Simulated: the interval of a large class and a small one holds their true mean in 95 of 100 samples.
    rng = np.random.default_rng(0)
    right = rng.binomial([200, 20], [0.9, 0.6], size=(4000, 2)).tolist()
    means = [balanced([Accuracy.of(large, 200), Accuracy.of(small, 20)]) for large, small in right]
    assert np.mean([one.low <= 75 <= one.high for one in means]) == pytest.approx(0.95, abs=0.015)


def test_the_most_frequent_mistake_comes_first() -> None:
    confusion = {"ant": {"ant": 5, "bee": 1}, "bee": {"ant": 3}, "cat": {"cat": 2, "ant": 1}}
    assert mistakes(confusion) == [("bee", "ant", 3), ("ant", "bee", 1), ("cat", "ant", 1)]
    assert {name: one.percent for name, one in recalls(confusion).items()} == {
        "ant": pytest.approx(100 * 5 / 6),
        "bee": 0,
        "cat": pytest.approx(100 * 2 / 3),
    }
