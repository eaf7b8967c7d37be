"""Uniform cuts of a known network: what people make of it by hand where it is too slow.

All stages lose the same, as EfficientNet (arXiv 1905.11946, section 3.3) scales depth, width and resolution together.

Symbols:
    D: decisions of the space.
"""

import re
from collections.abc import Sequence
from itertools import product
from typing import NamedTuple

import numpy as np

from surrogate_nas.space.kinds.chain.elastic import ElasticSpace
from surrogate_nas.space.space import Codes

_IDENTITY = "identity"
_EXPANSION = re.compile(r"_[eh](\d+)")  # as families.py writes it: a factor, or hidden channels
_RESOLUTION, _WIDTH = "resolution", ".width"


class Cut(NamedTuple):
    """A cut that is the same in every stage.

    Attributes:
        resolution: Place of the resolution among its choices.
        width: Place of every stage's width among its choices.
        expansion: Place of every layer's expansion among the ones of its kernel, by rising expansion.
        depth: Layers that every stage loses at its end, as far as it may.
    """

    resolution: int
    width: int
    expansion: int
    depth: int


def cut_code(space: ElasticSpace, cut: Cut) -> Codes:
    """Returns the architecture of a cut of the space's largest one, shape (D,)."""
    code = np.asarray(space.largest()).copy()
    stages = [decision.name.split(".")[0] for decision in space.decisions]
    for place, decision in enumerate(space.decisions):
        if decision.name == _RESOLUTION:
            code[place] = min(cut.resolution, code[place])
        elif decision.name.endswith(_WIDTH):
            code[place] = min(cut.width, code[place])
        else:
            same = _of_one_kernel(decision.choices, decision.choices[code[place]])
            code[place] = same[min(cut.expansion, len(same) - 1)]
            later = sum(one == stages[place] for one in stages[place + 1 :])
            if _IDENTITY in decision.choices and later < cut.depth:
                code[place] = decision.choices.index(_IDENTITY)
    return code


def all_cuts(space: ElasticSpace) -> list[Cut]:
    """Returns all uniform cuts of a space's largest architecture, the whole network last."""
    largest = space.largest()
    sizes = {decision.name: len(decision.choices) for decision in space.decisions}
    layers = [
        (decision, code)
        for decision, code in zip(space.decisions, largest, strict=True)
        if decision.name != _RESOLUTION and not decision.name.endswith(_WIDTH)
    ]
    widths = max((size for name, size in sizes.items() if name.endswith(_WIDTH)), default=1)
    expansions = max(len(_of_one_kernel(one.choices, one.choices[code])) for one, code in layers)
    stages = [decision.name.split(".")[0] for decision, _ in layers]
    depths = max(stages.count(stage) for stage in stages)
    ranges = (range(sizes.get(_RESOLUTION, 1)), range(widths), range(expansions), range(depths - 1, -1, -1))
    return [Cut(*one) for one in product(*ranges)]


def named_cuts(space: ElasticSpace) -> dict[str, Codes]:
    """Returns effective codes, shape (D,), of the different uniform cuts of a space's largest architecture by name."""
    cuts = all_cuts(space)
    codes = space.effective(np.stack([cut_code(space, cut) for cut in cuts]))
    _, first = np.unique(codes, axis=0, return_index=True)
    most = cuts[-1]
    return {_name(cuts[place], most): codes[place] for place in sorted(first.tolist(), reverse=True)}


def _name(cut: Cut, most: Cut) -> str:
    """Returns a name such as ``resolution 3 of 4, width 1 of 2, 1 layer fewer``."""
    sizes = [
        f"{field} {own + 1} of {largest + 1}"
        for field, own, largest in zip(cut._fields[:3], cut[:3], most[:3], strict=True)
        if own < largest
    ]
    fewer = [f"{cut.depth} {'layer' if cut.depth == 1 else 'layers'} fewer"] if cut.depth else []
    return ", ".join([*sizes, *fewer]) or "the whole network"


def _of_one_kernel(choices: Sequence[str], largest: str) -> list[int]:
    """Returns the places of the blocks that differ from one in their expansion alone, by rising expansion."""
    expansions = [_EXPANSION.search(name) for name in choices]
    same = [place for place, name in enumerate(choices) if _EXPANSION.sub("", name) == _EXPANSION.sub("", largest)]
    return sorted(same, key=lambda place: int(found[1]) if (found := expansions[place]) else 0)
