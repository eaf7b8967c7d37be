"""Fits rivals to budgets: the largest width of each that keeps all of them, counted or measured."""

import math
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

from surrogate_nas.costs.cost import COSTS, format_cost
from surrogate_nas.costs.number_formats import Precision
from surrogate_nas.errors import SettingsError
from surrogate_nas.hardware.measurement import Measurement
from surrogate_nas.rivals.rival import Interface
from surrogate_nas.rivals.rival_network import Counts, RivalNetwork, count_rival
from surrogate_nas.rivals.table import RIVALS
from surrogate_nas.rivals.width_search import WidthSearch

MOST_MEASUREMENTS = 5
"""Widths of one rival that are measured at most."""

COUNTED = tuple(Counts.__dataclass_fields__)
"""Costs that are counted."""

Measure = Callable[[Sequence[RivalNetwork]], Mapping[str, Measurement]]
"""Measures networks in turns and returns latencies by ``RivalNetwork.key``, without the networks that cannot be run."""


@dataclass(frozen=True)
class Terms:
    """The budgets that rivals have to keep.

    Attributes:
        interface: The images of the deployed network, and its classes.
        counted: Bounds of counted costs by name.
        latency_ms: Bound of the measured latency; None where there is none.
        ms_per_mac: Latency of some network for each of its multiply-accumulates, from which first widths are guessed.
        seconds: Time after which no further width is measured.
        precision: That the deployed network computes in.
    """

    interface: Interface
    counted: Mapping[str, float]
    latency_ms: float | None
    ms_per_mac: float
    seconds: float
    precision: Precision = "float32"


@dataclass(frozen=True)
class FittedRival:
    """A rival at its largest width within the budgets, or why there is none.

    Attributes:
        network: At that width; at its smallest one where none keeps the budgets.
        counts: Its counted costs; None where it cannot take the images.
        latency: Its measured latency, if it was measured.
        reason: Why it does not fit; empty where it does.
    """

    network: RivalNetwork
    counts: Counts | None
    latency: Measurement | None = None
    reason: str = ""

    @property
    def fits(self) -> bool:
        """True if it keeps every budget that was held against it."""
        return not self.reason


def fit_rivals(
    names: Sequence[str], terms: Terms, measure: Measure | None, advance: Callable[[int, int], None]
) -> list[FittedRival]:
    """Returns each rival at the largest of its widths that keeps the budgets, in the order given.

    Args:
        names: Keys of ``RIVALS``.
        terms: The budgets.
        measure: Measures latencies; None where that is not possible or not wanted.
        advance: Called with the rounds done and the rounds in total; may raise to stop.
    """
    fitted = {}
    for row, name in enumerate(names):
        advance(row, len(names) + MOST_MEASUREMENTS)
        fitted[name] = _by_counts(name, terms)
    if measure is not None:

        def one_round(number: int) -> None:
            advance(len(names) + number, len(names) + MOST_MEASUREMENTS)

        fitted |= _by_latency({name: one for name, one in fitted.items() if one.fits}, terms, measure, one_round)
    advance(1, 1)
    return list(fitted.values())


def _by_counts(name: str, terms: Terms) -> FittedRival:
    """Returns a rival at its largest width within the counted budgets; at width 1 where there are none."""
    networks = [RivalNetwork(name, width, terms.interface) for width in RIVALS[name].widths]
    usual = networks[RIVALS[name].widths.index(1.0)]
    try:
        if not terms.counted:
            return FittedRival(usual, count_rival(usual, terms.precision))
        search = WidthSearch(RIVALS[name].widths, 1.0, 1.0)
        while (index := search.next()) is not None:
            search.tell(index, max(_shares(count_rival(networks[index], terms.precision), terms).values()))
        if search.best is not None:
            return FittedRival(networks[search.best], count_rival(networks[search.best], terms.precision))
        counts = count_rival(networks[0], terms.precision)
    except SettingsError as error:
        return FittedRival(usual, None, reason=str(error))
    shares = _shares(counts, terms)
    worst = max(shares, key=lambda cost: shares[cost])
    return FittedRival(networks[0], counts, reason=_over(networks[0], worst, getattr(counts, worst)))


def _shares(counts: Counts, terms: Terms) -> dict[str, float]:
    """Returns each counted cost as a share of its bound."""
    return {cost: getattr(counts, cost) / limit for cost, limit in terms.counted.items()}


def _over(network: RivalNetwork, cost: str, value: float) -> str:
    widths = RIVALS[network.name].widths
    smallest = " at its smallest width" if network.width == widths[0] and len(widths) > 1 else ""
    return f"over the budget{smallest}: {COSTS[cost].title} {format_cost(cost, value)}"


def _by_latency(
    fitted: Mapping[str, FittedRival], terms: Terms, measure: Measure, one_round: Callable[[int], None]
) -> dict[str, FittedRival]:
    """Returns rivals that keep the counted budgets at their largest width within the latency budget.

    Every round measures one width of every rival that is not decided yet, all of them in turns.
    """
    searches = {name: _LatencySearch.of(one, terms) for name, one in fitted.items()}
    began = time.monotonic()
    for number in range(MOST_MEASUREMENTS):
        one_round(number)
        is_last = number == MOST_MEASUREMENTS - 1 or (number > 0 and time.monotonic() - began > terms.seconds)
        wanted = [one for one in searches.values() if one.choose(is_last=is_last)]
        if wanted:
            found = measure([one.network for one in wanted])
            for one in wanted:
                one.take(found.get(one.network.key))
        if is_last or not wanted:
            break
    return {name: one.decided() for name, one in searches.items()}


@dataclass
class _LatencySearch:
    """The measured widths of one rival.

    Attributes:
        search: Among its widths.
        network: The rival at the width that is measured next.
        precision: That it is counted in.
        measured: Latencies by the position of the width.
        is_broken: Whether it could not be run.
    """

    search: WidthSearch
    network: RivalNetwork
    precision: Precision
    measured: dict[int, Measurement] = field(default_factory=dict)
    is_broken: bool = False

    @classmethod
    def of(cls, fitted: FittedRival, terms: Terms) -> Self:
        """Begins with the width at which a latency in proportion to multiply-accumulates meets the budget."""
        widths, fits = RIVALS[fitted.network.name].widths, fitted.network.width
        assert fitted.counts is not None
        if terms.latency_ms is None:
            return cls(WidthSearch((fits,), math.inf, fits), fitted.network, terms.precision)
        guess = fits * math.sqrt(terms.latency_ms / (terms.ms_per_mac * fitted.counts.flops))
        # Without counted budgets it is not fitted yet, but of its usual width.
        within = widths[: widths.index(fits) + 1] if terms.counted else widths
        return cls(WidthSearch(within, terms.latency_ms, guess), fitted.network, terms.precision)

    def choose(self, *, is_last: bool) -> bool:
        """Chooses the next width, and returns whether there is one."""
        index = None if self.is_broken else self.search.next(is_last=is_last)
        if index is not None:
            self._index = index
            self.network = replace(self.network, width=self.search.widths[index])
        return index is not None

    def take(self, latency: Measurement | None) -> None:
        """Takes the latency at that width; None if the network could not be run."""
        if latency is None:
            self.is_broken = True
        else:
            self.measured[self._index] = latency
            self.search.tell(self._index, latency.median_ms)

    def decided(self) -> FittedRival:
        """Returns the rival at the largest width that keeps the budget, or at the smallest that was measured."""
        if self.is_broken:
            return FittedRival(
                self.network, count_rival(self.network, self.precision), reason="could not be run for its latency"
            )
        best = self.search.best
        index = min(self.measured) if best is None else best
        network, latency = replace(self.network, width=self.search.widths[index]), self.measured[index]
        reason = _over(network, "latency_ms", latency.median_ms) if best is None else ""
        return FittedRival(network, count_rival(network, self.precision), latency, reason)


def by_strength(fitted: Sequence[FittedRival]) -> list[FittedRival]:
    """Returns the rivals that fit, the ones with the most multiply-accumulates first, one of each family before others.

    Within a budget, more computation is the best guess at a higher accuracy that costs no training.
    """
    ordered = sorted((one for one in fitted if one.fits), key=_strength, reverse=True)
    seen: Counter[str] = Counter()
    ranks = {}
    for one in ordered:
        family = RIVALS[one.network.name].family
        ranks[one.network.key] = seen[family]
        seen[family] += 1
    return sorted(ordered, key=lambda one: ranks[one.network.key])


def _strength(one: FittedRival) -> int:
    return one.counts.flops if one.counts is not None else 0
