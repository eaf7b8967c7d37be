"""The state of what a search by gradients learns next to the weights, as the tensors that a checkpoint keeps of it."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from surrogate_nas._support.tensor_files import part

_PARTS = {"distribution": "distribution.", "means": "mean.", "squares": "square."}
_MOVES, _BASELINE = "moves", "baseline"


@dataclass(frozen=True)
class LearnedState:
    """A distribution after a number of steps, and what moves it.

    Attributes:
        moves: Steps of the distribution done.
        baseline: Moving average of rewards; ``None`` where there was none.
        distribution: Parameters of the distribution by name.
        means: Adam's mean gradients by name of their parameter.
        squares: Adam's mean squared gradients by name of their parameter.
    """

    moves: int
    baseline: float | None
    distribution: Mapping[str, Tensor]
    means: Mapping[str, Tensor]
    squares: Mapping[str, Tensor]

    def tensors(self) -> dict[str, Tensor]:
        """Returns the tensors that a checkpoint keeps."""
        found = {prefix + name: each for kind, prefix in _PARTS.items() for name, each in getattr(self, kind).items()}
        found[_MOVES] = torch.tensor(self.moves)
        if self.baseline is not None:
            found[_BASELINE] = torch.tensor(self.baseline, dtype=torch.float64)
        return found

    @classmethod
    def of(cls, tensors: Mapping[str, Tensor]) -> "LearnedState":
        """Returns the state that a checkpoint keeps.

        Raises:
            KeyError, ValueError: If it keeps none, or a damaged one.
        """
        moves = int(tensors[_MOVES])
        if moves < 0:
            raise ValueError(f"{moves} steps of a distribution")
        baseline = float(tensors[_BASELINE]) if _BASELINE in tensors else None
        return cls(moves, baseline, **{kind: part(dict(tensors), prefix) for kind, prefix in _PARTS.items()})
