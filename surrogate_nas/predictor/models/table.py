"""The kinds of model that an ensemble can be made of: one row each."""

from functools import partial
from typing import Protocol

from surrogate_nas.predictor.models.bidirectional import BidirectionalNetwork, MakeConvolution
from surrogate_nas.predictor.models.boosting import BoostingScorer
from surrogate_nas.predictor.models.convolutions import (
    gatv2_convolution,
    isomorphism_convolution,
    sum_convolution,
    transformer_convolution,
)
from surrogate_nas.predictor.models.graph import GraphScorer
from surrogate_nas.predictor.models.plain_gcn import PlainGcn
from surrogate_nas.predictor.models.ridge import RidgeScorer
from surrogate_nas.predictor.protocol import Scorer, StoredArrays
from surrogate_nas.predictor.settings import PredictorSettings
from surrogate_nas.space.space import Space


class MakeScorer(Protocol):
    """Makes a scorer that is yet to be fitted or, from the arrays of a fitted one, its equal."""

    def __call__(self, space: Space, settings: PredictorSettings, arrays: StoredArrays | None = None) -> Scorer:
        """The scorer.

        Raises:
            StoreError: If the arrays are not those of such a scorer.
        """
        ...


def bidirectional(make_convolution: MakeConvolution) -> partial[GraphScorer]:
    """Makes scorers that are bidirectional networks of one kind of convolution."""
    return partial(GraphScorer, partial(BidirectionalNetwork, make_convolution))


MODELS: dict[str, MakeScorer] = {
    "gcn": bidirectional(sum_convolution),
    "gin": bidirectional(isomorphism_convolution),
    "gatv2": bidirectional(gatv2_convolution),
    "transformer": bidirectional(transformer_convolution),
    "plain_gcn": partial(GraphScorer, PlainGcn),
    "ridge": RidgeScorer,
    "boosting": BoostingScorer,
}
