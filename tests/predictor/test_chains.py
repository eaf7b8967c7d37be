"""Everything that a predictor is made of, on a space of chains: layers one after another, in stages."""

from pathlib import Path

import numpy as np
import pytest

from surrogate_nas.predictor.features.graph_features import path_features
from surrogate_nas.predictor.features.path_counts import path_sums
from surrogate_nas.predictor.fusion import rank_transform as reference
from surrogate_nas.predictor.fusion.priors import make_prior
from surrogate_nas.predictor.model_table import MODELS
from surrogate_nas.predictor.models.encoding import encode
from surrogate_nas.predictor.predictor import fit_predictor, load_predictor
from surrogate_nas.predictor.protocol import Codes, Floats
from surrogate_nas.predictor.settings import PredictorSettings
from surrogate_nas.predictor.training_set import SourceLabels
from surrogate_nas.ranking import kendall_tau
from surrogate_nas.space.load import load_space
from surrogate_nas.space.space import Space


@pytest.fixture(scope="module")
def chain() -> Space:
    return load_space("nasbench_macro")


def truth(codes: Codes) -> Floats:
    """Returns a truth in which a computing layer is worth more in a later stage, visible only in the node's type."""
    stage = np.array([1, 1, 2, 2, 2, 3, 3, 3])
    return np.asarray((codes > 0) @ stage + 0.3 * (codes == 2).sum(axis=1), dtype=np.float64)


def quick(kind: str) -> PredictorSettings:
    made = {"model": kind, "width": 16, "layers": 2, "steps": 60, "ensemble": 2, "folds": 2}
    return PredictorSettings.model_validate(made)


@pytest.mark.quick_cases(3)
@pytest.mark.parametrize("kind", list(MODELS))
def test_every_model_learns_which_stage_a_block_is_in(kind: str, chain: Space) -> None:
    seen, unseen = (chain.canonical(chain.sample(150, np.random.default_rng(seed))) for seed in (0, 1))
    scorer = MODELS[kind](chain, quick(kind))
    scorer.fit(seen, truth(seen), seed=0)
    assert kendall_tau(scorer.score(unseen), truth(unseen)) > 0.5


def test_the_type_of_a_node_tells_the_stage(chain: Space) -> None:
    codes = np.ones((1, 8), dtype=np.int8)
    types = encode(chain, codes).operations[0, 1:-1].tolist()
    first, second, third = set(types[:2]), set(types[2:5]), set(types[5:])
    assert len(first | second | third) == len(first) + len(second) + len(third)


def test_counts_and_prior_rise_with_what_is_computed(chain: Space) -> None:
    codes = chain.sample(200, np.random.default_rng(0))
    assert np.isfinite(path_features(chain, codes)).all()
    computed = path_sums(chain, codes).longest[:, -1]
    assert (path_sums(chain, codes).paths == 1).all()
    assert kendall_tau(make_prior(chain, codes).score(codes), computed) > 0.5


def test_a_fused_predictor_with_trained_networks_is_kept_to_the_bit(
    chain: Space, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reference, "REFERENCE_SIZE", 300)
    codes = chain.sample(60, np.random.default_rng(2))
    labels = truth(codes)
    made = fit_predictor(chain, codes, labels, 50 + labels, quick("ridge"), 0)
    made = made.with_trained(SourceLabels(codes[:15], labels[:15]), seed=0)
    made.save(tmp_path)
    again = load_predictor(tmp_path, chain)
    asked = chain.sample(100, np.random.default_rng(3))
    assert np.array_equal(again.score(asked), made.score(asked))
    assert made.stack is not None
    assert again.stack is not None
    assert np.array_equal(again.stack.predict(asked).mean, made.stack.predict(asked).mean)
    assert kendall_tau(again.stack.predict(asked).mean, truth(asked)) > 0.5
