"""Counts against cells that were counted by hand; ranks that do not depend on who is asked with whom."""

from pathlib import Path

import numpy as np
import pytest

from surrogate_nas.errors import SettingsError
from surrogate_nas.predictor.fusion.priors import (
    ExtraScores,
    complexity_counts,
    make_prior,
    prior_columns,
    restored_prior,
    with_vote,
)
from surrogate_nas.space.class_table import ClassTable
from surrogate_nas.space.load import load_space
from surrogate_nas.space.space import Space
from surrogate_nas.testing.spaces import live_operations

# Edges 1<-0, 2<-0, 2<-1, 3<-0, 3<-1, 3<-2; choices none, skip, conv1x1, conv3x3, pool.
CHAIN = [3, 0, 2, 0, 0, 3]  # conv3x3, conv1x1, conv3x3 one after another
PARALLEL = [0, 0, 0, 3, 0, 0]
DEAD = [3, 0, 0, 0, 0, 3]


def test_a_chain_is_deep_and_sees_far(space: Space) -> None:
    counts = complexity_counts(space, np.array([CHAIN, PARALLEL, DEAD], dtype=np.int8))
    assert counts[:, 1].tolist() == [3, 1, 0]
    assert counts[:, 2].tolist() == [2, 1, 0]
    nothing = space.flops(np.zeros((1, 6), dtype=np.int8), space.network)[0]
    weights = (counts[:, 0] - nothing) / (counts[1, 0] - nothing)
    assert weights == pytest.approx([19 / 9, 1, 0])


def test_a_prior_is_a_standardised_rank_of_its_reference(space: Space) -> None:
    codes = space.all_codes()
    scores = make_prior(space, codes).score(codes)
    assert scores.mean() == pytest.approx(0, abs=1e-9)
    assert scores.std() == pytest.approx(1)
    # Convolutions wherever there can be one but around a shortcut.
    assert scores.argmax() == space.index(np.array([[3, 3, 3, 1, 3, 3]]))[0]


def test_a_score_does_not_depend_on_the_others_that_are_asked(space: Space) -> None:
    prior = make_prior(space, space.all_codes())
    codes = space.sample(20, np.random.default_rng(0))
    assert np.array_equal(prior.score(codes)[3:4], prior.score(codes[3:4]))
    assert prior.score(codes[:0]).shape == (0,)


def extra(space: Space, leave_out: int = 0) -> ExtraScores:
    """Returns two scores of most classes: the number of live operations, and its opposite without a vote."""
    codes = space.all_codes()
    distinct = space.codes_at(np.unique(space.index(space.canonical(codes[space.is_connected(codes)]))))
    distinct = distinct[: len(distinct) - leave_out]
    live = live_operations(space, distinct).astype(np.float64)
    table = ClassTable(space, ("live", "dead"), distinct, np.stack([live, -live], axis=1))
    return ExtraScores(table, {"live": 1.0, "dead": 0.0})


def test_a_shortcut_is_a_path_without_operations(space: Space) -> None:
    codes = np.array([CHAIN, PARALLEL, [3, 0, 0, 1, 0, 3], [1, 0, 0, 0, 1, 0]], dtype=np.int8)
    assert prior_columns(space, codes)["shortcut"].tolist() == [0, 0, 1, 1]


def test_scores_from_elsewhere_vote_and_a_shortcut_has_a_seventh(space: Space) -> None:
    codes = space.all_codes()
    prior = make_prior(space, codes, extra(space))
    weights = {name: weight for name, (weight, _) in prior.votes.items()}
    assert weights["live"] == 1
    assert weights["dead"] == 0
    assert weights["shortcut"] / sum(weights.values()) == pytest.approx(1 / 7)
    plain = make_prior(space, codes)
    live = live_operations(space, codes)
    assert np.corrcoef(prior.score(codes), live)[0, 1] > np.corrcoef(plain.score(codes), live)[0, 1]
    assert prior.ranks(codes[:3]).shape == (3, 6)


def test_another_vote_joins_scores() -> None:
    quick = load_space("quick")
    codes = np.unique(quick.canonical(quick.all_codes()), axis=0)
    order, other = np.arange(len(codes), dtype=np.float64)[:, None], np.ones((len(codes), 1))
    votes = ClassTable(quick, ("learned",), codes, order)
    scores = ExtraScores(ClassTable(quick, ("naswot",), codes, other), {"naswot": 2.0})
    alone, both = with_vote(None, votes), with_vote(scores, votes)
    assert (alone.weights, both.weights) == ({"learned": 1.0}, {"naswot": 2.0, "learned": 1.0})
    np.testing.assert_array_equal(both.columns(codes)["learned"], order[:, 0])
    np.testing.assert_array_equal(both.columns(codes)["naswot"], other[:, 0])


def test_a_prior_with_missing_rows_is_refused(space: Space) -> None:
    with pytest.raises(SettingsError, match=r"a finite score of every architecture \(\d+ of 15625 have none"):
        make_prior(space, space.all_codes(), extra(space, leave_out=3))
    with pytest.raises(SettingsError, match="one weight each"):
        ExtraScores(extra(space).table, {"live": 1.0})


def test_a_prior_comes_back_from_its_arrays(space: Space) -> None:
    codes = space.all_codes()
    for scores in (None, extra(space)):
        prior = make_prior(space, codes, scores)
        again = restored_prior(space, prior.arrays(), scores)
        assert np.array_equal(again.score(codes), prior.score(codes))
        assert np.array_equal(again.ranks(codes), prior.ranks(codes))


def test_depth_does_not_speak_for_networks_that_choose_their_sizes() -> None:
    space = load_space("images32")
    codes = space.sample(200, np.random.default_rng(0))
    prior = make_prior(space, codes)
    assert "operations" in prior.votes
    assert not {"depth", "reach"} & set(prior.votes)
    # The same layers with fewer pixels are worth less.
    fewer, more = codes.copy(), codes.copy()
    fewer[:, 0], more[:, 0] = 0, 3
    assert (prior.score(more) > prior.score(fewer)).all()
    again = restored_prior(space, prior.arrays(), None)
    np.testing.assert_array_equal(again.score(codes), prior.score(codes))


def test_one_shortcut_in_many_does_not_outvote_everything(tmp_path: Path) -> None:
    path = tmp_path / "flat.toml"
    path.write_text(
        'name = "flat"\nkind = "chain"\noperations = ["skip", "mbconv_k3_e3", "mbconv_k5_e6"]\n'
        '[[before]]\nlayer = "conv_bn_relu_k3"\nwidth = "first"\nstride = 2\n'
        "[[stages]]\nlayers = 6\nwidth = 8\n[network]\nimage_size = 16\n"
    )
    space = load_space(str(path))
    codes = space.all_codes()
    prior = make_prior(space, codes)
    assert np.argmax(prior.score(codes)) != 0
    assert not (prior.score(codes[:1]) > np.quantile(prior.score(codes), 0.9)).any()
