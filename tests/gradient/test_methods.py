"""The table of searches by gradients."""

from surrogate_nas.gradient.methods import METHODS


def test_every_row_is_a_search_of_its_own() -> None:
    assert set(METHODS) == {"darts", "darts2", "pcdarts", "snas", "gdas", "setn", "enas", "rsps", "proxyless"}
    assert len(set(METHODS.values())) == len(METHODS)


def test_rows_that_sample_weights_need_no_argmax_of_a_mixture() -> None:
    # Weights that were trained in a mixture do not stand alone, so only rows of paths judge candidates on them.
    assert all(row.derives == "argmax" for row in METHODS.values() if row.weights_see in ("mixture", "gumbel"))
