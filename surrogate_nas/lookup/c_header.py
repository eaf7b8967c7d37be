"""The Pareto set of a lookup table as a C header: constant data and one function, without any library."""

import re
from collections.abc import Iterable, Sequence
from itertools import chain, count
from pathlib import Path

from surrogate_nas._support.c_text import c_environment
from surrogate_nas._support.files import write_text
from surrogate_nas.costs.budget import Budget
from surrogate_nas.costs.cost import format_reachable
from surrogate_nas.lookup.entry import Entry
from surrogate_nas.lookup.table import LookupTable

SCHEMA_VERSION = 1

_TEMPLATE = """\
/* Pareto set of the space {{ about.space_name | comment }} on {{ about.device | comment }},
   batch size {{ about.batch_size }}. Written by surrogate_nas {{ about.created_with | comment }}; layout {{ version }}.
   Entries are sorted by {{ cost | comment }}, the cheapest first; a dearer one never has a worse score. */
#ifndef SURROGATE_NAS_LOOKUP_H
#define SURROGATE_NAS_LOOKUP_H

#include <stddef.h>

#define SURROGATE_NAS_LOOKUP_VERSION {{ version }}
#define SURROGATE_NAS_SPACE_FINGERPRINT {{ about.space_fingerprint | string }}
#define SURROGATE_NAS_DEVICE {{ about.device | string }}
#define SURROGATE_NAS_BUDGET_COST {{ cost | string }}

typedef struct {
    const char *code;
    const char *architecture;
    {{ real }} predicted_accuracy_percent;
    {{ real }} accuracy_std_percent;
{% for name, member in members %}
    {{ real }} {{ member }};{{ "" if name == member else " /* " ~ (name | comment) ~ " */" }}
{% endfor %}
} surrogate_nas_entry;

static const surrogate_nas_entry surrogate_nas_entries[] = {
{% for entry in entries %}
    {{ "{" }}{{ entry.code | string }}, {{ entry.architecture | string }},
     {{ entry.predicted_accuracy_percent | number }}, {{ entry.accuracy_std_percent | number }}
{%- for name, _ in members %}, {{ entry.costs[name] | number }}{% endfor %}{{ "}" }},
{% endfor %}
};

static const size_t surrogate_nas_count = sizeof surrogate_nas_entries / sizeof *surrogate_nas_entries;

/* The best architecture whose {{ cost | comment }} is at most the budget;
   NULL if none is: the first has {{ smallest }}. */
static inline const surrogate_nas_entry *surrogate_nas_best({{ real }} budget)
{
    size_t low = 0, high = surrogate_nas_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (surrogate_nas_entries[middle].{{ binding }} <= budget)
            low = middle + 1;
        else
            high = middle;
    }
    return low ? &surrogate_nas_entries[low - 1] : NULL;
}

#endif
"""


def write_c_header(table: LookupTable, path: Path, budgets: Sequence[Budget] = (), *, real: str = "double") -> int:
    """Writes the front of score against what latency budgets are held against, as a header for C99 and C++.

    Args:
        table: The table.
        path: The file.
        budgets: Bounds that every entry meets.
        real: C's type of the numbers: ``double``, or ``float`` for processors that compute with no others.

    Returns:
        The number of entries.

    Raises:
        InfeasibleBudgetError: If nothing meets the budgets.
        WriteError: If the file cannot be written.
    """
    cost = table.binding(table.metadata.primary_cost)
    found: dict[tuple[float, float], Entry] = {}
    for entry in table.pareto(cost, budgets):
        found.setdefault((entry.score, entry.costs[cost]), entry)  # of equals, ``LookupTable.best`` takes the first
    entries = list(found.values())
    write_text(path, _header(table, cost, entries, real))
    return len(entries)


def _header(table: LookupTable, cost: str, entries: Sequence[Entry], real: str) -> str:
    environment = c_environment()
    suffix = "f" if real == "float" else ""
    environment.filters["number"] = lambda value: f"{float(value)!r}{suffix}"
    members = _members(table.costs)
    return environment.from_string(_TEMPLATE).render(
        about=table.metadata,
        real=real,
        version=SCHEMA_VERSION,
        cost=cost,
        binding=members[cost],
        members=list(members.items()),
        entries=entries,
        smallest=format_reachable(cost, entries[0].costs[cost]),
    )


def _members(costs: Iterable[str]) -> dict[str, str]:
    """Returns costs as names of members: ``latency_ms[raspi 4]`` is ``latency_ms_raspi_4``, a second one ``..._2``."""
    members: dict[str, str] = {}
    for cost in costs:
        plain = re.sub(r"\W+", "_", cost, flags=re.ASCII).strip("_")
        names = chain([plain], (f"{plain}_{number}" for number in count(2)))
        members[cost] = next(name for name in names if name not in members.values())
    return members
