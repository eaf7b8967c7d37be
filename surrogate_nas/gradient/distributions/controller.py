"""A distribution whose decisions follow one another, each depending on the ones before (ENAS, arXiv 1802.03268)."""

from collections.abc import Callable
from typing import final

import torch
from torch import Tensor, nn

from surrogate_nas.gradient.distributions.distribution import Distribution, entropy_of
from surrogate_nas.space.space import Space
from surrogate_nas.supernet.splits.boxes import Box

# Sizes and bounds of ENAS's own controller.
_HIDDEN, _LAYERS, _FIRST_BOUND = 32, 2, 0.1
_FLATTENED, _LARGEST_LOGIT = 5.0, 2.5
_Choose = Callable[[int, Tensor], Tensor]


@final
class Controller(Distribution):
    """An LSTM that makes one decision after another.

    Args:
        space: The space.
        seed: Seed of its first weights.
        box: Choices that have a probability; all of them if not given.
    """

    def __init__(self, space: Space, seed: int, box: Box | None = None) -> None:
        super().__init__(space, box)
        decisions, most = self.allowed.shape
        self.first = nn.Parameter(torch.empty(_HIDDEN))
        self.lstm = nn.LSTM(_HIDDEN, _HIDDEN, _LAYERS)
        self.made = nn.ModuleList(nn.Embedding(most, _HIDDEN) for _ in range(decisions - 1))
        self.scores = nn.ModuleList(nn.Linear(_HIDDEN, most) for _ in range(decisions))
        generator = torch.Generator().manual_seed(seed)
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -_FIRST_BOUND, _FIRST_BOUND, generator=generator)

    def follow(self, codes: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the log-probability of codes (N, D), and the entropy of the decisions on the way, shape (N,) each."""
        rows = self._decide(len(codes), lambda decision, _: codes[:, decision])[1]
        taken = rows.gather(2, codes[:, :, None])
        return taken.sum(dim=(1, 2)), entropy_of(rows).sum(dim=1)

    @torch.no_grad()
    def draw(self, noise: Tensor) -> Tensor:
        """Returns codes (N, D) drawn with Gumbel noise of shape (N, D, C)."""
        return self._decide(len(noise), lambda decision, row: (row + noise[:, decision]).argmax(dim=1))[0]

    def _decide(self, count: int, choose: _Choose) -> tuple[Tensor, Tensor]:
        """Returns codes (N, D), and the log-probabilities that each decision was made by, (N, D, C)."""
        given, state = self.first.expand(count, -1), None
        codes, rows = list[Tensor](), list[Tensor]()
        for decision, scores in enumerate(self.scores):
            if decision:
                given = self.made[decision - 1](codes[-1])
            out, state = self.lstm(given[None], state)
            bounded = _LARGEST_LOGIT * torch.tanh(scores(out[0]) / _FLATTENED)
            rows.append(self.masked(bounded, decision).log_softmax(dim=1))
            codes.append(choose(decision, rows[-1]))
        return torch.stack(codes, dim=1), torch.stack(rows, dim=1)
