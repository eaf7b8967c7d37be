"""Table of the kinds of model that an ensemble can be made of: one row each, imported when one is first made.

A row makes a ``Scorer`` that is yet to be fitted from a space and the settings; given the arrays of a fitted scorer as
well, it makes an equal one, or raises ``StoreError`` if the arrays do not belong to such a scorer.
"""

from collections.abc import Callable
from typing import Any

from surrogate_nas._support.late import Late

_PLACE = "surrogate_nas.predictor.models"

MODELS: dict[str, Callable[..., Any]] = {
    "gcn": Late(f"{_PLACE}.graph_kinds:gcn"),
    "gin": Late(f"{_PLACE}.graph_kinds:gin"),
    "gatv2": Late(f"{_PLACE}.graph_kinds:gatv2"),
    "transformer": Late(f"{_PLACE}.graph_kinds:transformer"),
    "plain_gcn": Late(f"{_PLACE}.graph_kinds:plain_gcn"),
    "ridge": Late(f"{_PLACE}.ridge:RidgeScorer"),
    "boosting": Late(f"{_PLACE}.boosting:BoostingScorer"),
}
