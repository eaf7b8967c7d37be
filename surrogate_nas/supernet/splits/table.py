"""Ways to split a space, by the name that settings choose them by."""

from surrogate_nas.supernet.splits.edge import SplitByEdge
from surrogate_nas.supernet.splits.gradient import SplitByGradients
from surrogate_nas.supernet.splits.none import NoSplit
from surrogate_nas.supernet.splits.nonlinear import SplitByCount
from surrogate_nas.supernet.splits.split import SplitRule

SPLITS: dict[str, SplitRule] = {
    "nonlinear": SplitByCount(),
    "none": NoSplit(),
    "edge": SplitByEdge(),
    "gradient": SplitByGradients(),
}
