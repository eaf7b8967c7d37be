"""Reads architectures off a distribution, with the signs of a collapsed search: skips, cuts and a flat distribution.

Symbols:
    N: architectures. D: decisions.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from surrogate_nas.errors import SpaceError
from surrogate_nas.gradient.distributions.distribution import Distribution
from surrogate_nas.gradient.distributions.draws import DERIVATION, draw, generator
from surrogate_nas.gradient.distributions.subspace import Subspace
from surrogate_nas.gradient.methods import Derivation
from surrogate_nas.space.operations.families import find_block
from surrogate_nas.space.operations.spec import OperationSpec
from surrogate_nas.space.operations.table import OPERATIONS
from surrogate_nas.space.space import Codes

_BATCH = 4096
_FEWEST = 100  # candidates that draws are made for: the likeliest few are not among a few draws
_DRAWS_PER_CANDIDATE = 20  # of a space too large to list, from which the likeliest are taken
_CLIMBS = 4  # draws from which a way up is taken
_ENTROPY_DRAWS = 256
# From here on a warning is due.
_MANY = 0.5  # share of decisions that skip or cut
_FLAT = 0.9  # share of a uniform distribution's entropy


@dataclass(frozen=True)
class Collapse:
    """Signs that a derived architecture is an artefact of its search.

    Attributes:
        skips: Decisions that choose an identity.
        cuts: Decisions that choose ``none``.
        decisions: All decisions that choose an operation.
        entropy_share: Entropy of the distribution, as a share of a uniform one's.
        judged: Whether it is the best of several candidates by its accuracy, not the likeliest.
    """

    skips: int
    cuts: int
    decisions: int
    entropy_share: float
    judged: bool = False

    @property
    def has_collapsed(self) -> bool:
        """True where most decisions skip or cut."""
        return self.skips + self.cuts > _MANY * self.decisions

    @property
    def is_flat(self) -> bool:
        """True where the likeliest architecture of a nearly uniform distribution was taken."""
        return self.entropy_share > _FLAT and not self.judged

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences on what speaks against the architecture."""
        found = []
        if self.has_collapsed:
            found.append(
                f"the search has collapsed: {self.skips} of {self.decisions} decisions skip and {self.cuts} cut"
            )
        if self.is_flat:
            found.append(
                f"the distribution is still nearly uniform ({self.entropy_share:.0%} of the largest entropy), so its"
                " likeliest architecture is nearly a random one"
            )
        return tuple(found)

    def in_words(self) -> str:
        """Returns one line."""
        return (
            f"{self.skips} of {self.decisions} decisions skip, {self.cuts} cut; entropy {self.entropy_share:.0%} of"
            " a uniform distribution's"
        )


def collapse_of(subspace: Subspace, distribution: Distribution, code: Codes, seed: int, *, judged: bool) -> Collapse:
    """Returns what speaks against an architecture, shape (D,); ``judged`` if it is not just the likeliest."""
    # What does nothing, such as an operation behind a cut, is no part of the architecture.
    live = subspace.space.effective(np.asarray(code)[None])[0]
    chosen = (decision.choices[choice] for decision, choice in zip(subspace.space.decisions, live, strict=True))
    specs = [spec for spec in map(_spec, chosen) if spec is not None]
    drawn = draw(subspace, distribution, _ENTROPY_DRAWS, generator(seed, DERIVATION, 1)).codes
    with torch.no_grad():
        entropy = float(distribution.follow(drawn.to(distribution.allowed.device))[1].mean())
    return Collapse(
        sum(spec.is_identity for spec in specs),
        sum(spec.is_zero for spec in specs),
        len(specs),
        entropy / max(distribution.reference_entropy(), 1e-12),
        judged,
    )


def _spec(name: str) -> OperationSpec | None:
    """Returns the operation of a choice; None where it is a choice of inputs."""
    if name in OPERATIONS:
        return OPERATIONS[name]
    try:
        return find_block(name)
    except SpaceError:
        return None


@torch.no_grad()
def log_probabilities(distribution: Distribution, codes: Codes) -> NDArray[np.float64]:
    """Returns the log-probability of codes (N, D), shape (N,)."""
    parts = torch.split(torch.from_numpy(np.asarray(codes).astype(np.int64)), _BATCH)
    device = distribution.allowed.device
    return torch.cat([distribution.follow(part.to(device))[0].cpu() for part in parts]).double().numpy()


Keeps = Callable[[Codes], NDArray[np.bool_]]
"""Returns which codes, shape (N, D), keep all budgets, shape (N,)."""


def likeliest(
    subspace: Subspace, distribution: Distribution, count: int, seed: int, keeps: Keeps | None = None
) -> Codes:
    """Returns the likeliest architectures of a subspace, the likeliest first, shape (N, D).

    In a space too large to enumerate they are the likeliest of many draws, and of what is met on the way up from the
    best of these draws, one decision after another. With ``keeps`` they all keep the budgets, and there may be none.
    """
    if not subspace.space.listable:
        return _likeliest_met(subspace, distribution, count, seed, keeps)
    codes = subspace.codes()
    if keeps is not None:
        codes = codes[keeps(codes)]
    return _once(subspace, codes, log_probabilities(distribution, codes))[0][:count]


def _once(subspace: Subspace, codes: Codes, logs: NDArray[np.float64]) -> tuple[Codes, NDArray[np.float64]]:
    """Returns each computation once, by its likeliest code, the likeliest first, with log-probabilities."""
    order = np.argsort(-logs, kind="stable")
    first = np.sort(np.unique(subspace.space.effective(codes[order]), axis=0, return_index=True)[1])
    return codes[order[first]], logs[order[first]]


def _likeliest_met(subspace: Subspace, distribution: Distribution, count: int, seed: int, keeps: Keeps | None) -> Codes:
    def ranked(codes: Codes) -> tuple[Codes, NDArray[np.float64]]:
        """Returns the allowed ones, each computation once, the likeliest first, with their log-probabilities."""
        codes = np.unique(codes[subspace.holds(codes)], axis=0)
        codes = codes if keeps is None else codes[keeps(codes)]
        return _once(subspace, codes, log_probabilities(distribution, codes))

    drawn = draw(
        subspace, distribution, _DRAWS_PER_CANDIDATE * max(count, _FEWEST), generator(seed, DERIVATION, 0)
    ).codes
    modes = distribution.draw(torch.zeros(1, *distribution.allowed.shape, device=distribution.allowed.device))
    codes, _ = ranked(torch.cat([modes.cpu(), drawn]).numpy().astype(np.int8))
    met = [codes]
    for start in codes[:_CLIMBS]:
        at, height = start, -np.inf
        while True:
            beside, logs = ranked(_with_one_change(subspace, at))
            if not len(beside) or logs[0] <= height:
                break
            met.append(beside)
            at, height = beside[0], logs[0]
    return ranked(np.concatenate(met))[0][:count]


def _with_one_change(subspace: Subspace, code: Codes) -> Codes:
    """Returns an architecture and all that differ from it in one decision, shape (N, D)."""
    changed = [code]
    for place, decision in enumerate(subspace.space.decisions):
        for choice in range(len(decision.choices)):
            if choice != code[place]:
                changed.append(np.array([*code[:place], choice, *code[place + 1 :]], dtype=np.int8))
    return np.stack(changed)


def candidates(
    subspace: Subspace, distribution: Distribution, how: Derivation, count: int, seed: int, keeps: Keeps | None = None
) -> Codes:
    """Returns the architectures among which the derived one is, shape (N, D); for ``argmax`` it is the only one.

    With ``keeps`` they all keep the budgets, and there may be none.
    """
    if how == "drawn":
        draws = count if keeps is None else _DRAWS_PER_CANDIDATE * count
        drawn = draw(subspace, distribution, draws, generator(seed, DERIVATION, 0)).codes.numpy().astype(np.int8)
        kept = np.sort(np.unique(subspace.space.effective(drawn), axis=0, return_index=True)[1])
        drawn = drawn[kept]
        return np.asarray(drawn if keeps is None else drawn[keeps(drawn)][:count])
    return likeliest(subspace, distribution, 1 if how == "argmax" else count, seed, keeps)


def derive(codes: Codes, judge: Callable[[Codes], float]) -> Codes:
    """Returns the best of some candidates, the first among equals; a single one is not judged.

    Args:
        codes: Shape (N, D).
        judge: Returns the accuracy of one architecture, shape (D,).
    """
    if len(codes) == 1:
        return np.asarray(codes[0])
    return np.asarray(codes[int(np.argmax([judge(code) for code in codes]))])
