"""The kit finds planted faults; ``tests/search/test_sampler_table.py`` runs every sampler through it."""

import warnings

import numpy as np
import pytest

from surrogate_nas.search.candidates import Candidates, class_keys
from surrogate_nas.search.evaluator import Evaluator
from surrogate_nas.search.settings import SearchSettings
from surrogate_nas.space.load import load_space
from surrogate_nas.space.space import Codes
from surrogate_nas.testing import samplers
from surrogate_nas.testing.samplers import SAMPLER_CHECKS, SamplerCheck, made_up_evaluator

EVALUATOR = made_up_evaluator(load_space("nasbench201"))


class Sound:
    """Draws all codes that there are, in an order that the seed decides."""

    def __init__(self, evaluator: Evaluator, settings: SearchSettings, seed: int) -> None:
        del settings
        self.space = evaluator.space
        self.rng = np.random.default_rng(seed)
        codes = self.space.all_codes()[self.rng.permutation(self.space.size)]
        first = np.unique(self.space.canonical_keys(codes), return_index=True, axis=0)[1]
        self.left = codes[np.sort(first)]

    def propose(self, count: int) -> Codes:
        taken, self.left = self.left[:count], self.left[count:]
        return taken

    def observe(self, candidates: Candidates) -> None:
        pass


class Generous(Sound):
    def propose(self, count: int) -> Codes:
        return super().propose(count + 1)


class Careless(Sound):
    def propose(self, count: int) -> Codes:
        return super().propose(count) + np.int8(3)


class TellsCopiesApart(Sound):
    def __init__(self, evaluator: Evaluator, settings: SearchSettings, seed: int) -> None:
        super().__init__(evaluator, settings, seed)
        codes = self.space.all_codes()
        keys = class_keys(self.space, codes)
        self.left = codes[sorted(range(len(keys)), key=keys.__getitem__)]


class Unseeded(Sound):
    def __init__(self, evaluator: Evaluator, settings: SearchSettings, seed: int) -> None:
        del seed
        super().__init__(evaluator, settings, int(np.random.default_rng().integers(2**32)))


class SharedDraws(Sound):
    def propose(self, count: int) -> Codes:
        np.random.seed(0)
        np.random.permutation(2)
        return super().propose(count)


class Endless(Sound):
    def propose(self, count: int) -> Codes:
        return self.space.sample(count, self.rng)


class Talkative(Sound):
    def observe(self, candidates: Candidates) -> None:
        super().observe(candidates)
        warnings.warn("a batch was seen", stacklevel=1)


@pytest.mark.parametrize("check", SAMPLER_CHECKS, ids=lambda check: check.__name__)
def test_a_sound_sampler_conforms(check: SamplerCheck) -> None:
    check(Sound, EVALUATOR)


@pytest.mark.parametrize(
    ("kind", "check", "rule"),
    [
        (Generous, samplers.check_proposals, "1 to 12 come .got .13,"),
        (Careless, samplers.check_proposals, "proposals are codes of the space"),
        (TellsCopiesApart, samplers.check_proposals, "no canonical class is proposed twice"),
        (Unseeded, samplers.check_seed, "one seed gives the same proposals again"),
        (SharedDraws, samplers.check_seed, "got others of numpy"),
        (Endless, samplers.check_end, "a space of 42 classes is searched to an end"),
        (Talkative, samplers.check_silence, "no warnings .got a batch was seen"),
    ],
)
def test_a_planted_fault_is_found(kind: type[Sound], check: SamplerCheck, rule: str) -> None:
    with pytest.raises(AssertionError, match=rule):
        check(kind, EVALUATOR)


def test_every_check_is_in_the_list() -> None:
    assert {check.__name__ for check in SAMPLER_CHECKS} == {
        name for name in vars(samplers) if name.startswith("check_")
    }
