"""Graph networks that an ensemble can be made of, each with its own kind of convolution."""

from functools import partial

from surrogate_nas.predictor.models.bidirectional import BidirectionalNetwork, MakeConvolution
from surrogate_nas.predictor.models.convolutions import (
    gatv2_convolution,
    isomorphism_convolution,
    sum_convolution,
    transformer_convolution,
)
from surrogate_nas.predictor.models.graph import GraphScorer
from surrogate_nas.predictor.models.plain_gcn import PlainGcn


def bidirectional(make_convolution: MakeConvolution) -> partial[GraphScorer]:
    """Returns a maker of scorers that are bidirectional networks of one kind of convolution."""
    return partial(GraphScorer, partial(BidirectionalNetwork, make_convolution))


gcn = bidirectional(sum_convolution)
gin = bidirectional(isomorphism_convolution)
gatv2 = bidirectional(gatv2_convolution)
transformer = bidirectional(transformer_convolution)
plain_gcn = partial(GraphScorer, PlainGcn)
