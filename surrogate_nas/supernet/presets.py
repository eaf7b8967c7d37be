"""Presets: each paper's combination of split, sharing, path sampler, learning-rate rule and momentum, by name.

Presets set rules only. Sizes, steps, learning rate and batch size are the study's, so that presets can be compared at
equal cost.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from surrogate_nas.supernet.rule import owned
from surrogate_nas.supernet.rules.sampling import SAMPLERS
from surrogate_nas.supernet.rules.schedules import SCHEDULES
from surrogate_nas.supernet.rules.sharing import SHARINGS
from surrogate_nas.supernet.splits.table import SPLITS

Preset = Mapping[str, Any]

AUTO = "auto"
"""The preset where a study names none."""

# Measured best (benchmarks/results/supernets.md): one supernet that trains subnets with many convolutions most. For the
# last steps a sub-supernet splits off and goes on with few nonlinear functions.
_SOFT: Preset = MappingProxyType(
    {
        "split": "nonlinear",
        "groups": 2,
        "sharing": "whole",
        "sampler": "nonlinear",
        "nonlinear_power": 2.0,
        "parent_share": 0.967,
        "inherit": "state",
        "own_share": 0.7,
        "parent_keeps": 1,
        "scale": "count",
        "label_both": True,
    }
)

PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        "auto": _SOFT,
        "soft": _SOFT,
        # One supernet that trains subnets with many convolutions most: the parent of the soft split, to the end.
        "oneshot": {"split": "none", "sharing": "whole", "sampler": "nonlinear", "nonlinear_power": 2.0},
        # SPOS, arXiv 1904.00420: one supernet, one subnet a step, drawn uniformly.
        "spos": {"split": "none", "sharing": "whole", "sampler": "uniform"},
        # FairNAS, arXiv 1907.01845: every operation of every edge once in each step.
        "fairnas": {"split": "none", "sharing": "whole", "sampler": "fair"},
        # FS-NAS, arXiv 2006.06863: 600 epochs of one supernet, 300 of each sub-supernet on its weights.
        "fsnas": {
            "split": "edge",
            "sharing": "whole",
            "sampler": "uniform",
            "parent_share": 2 / 3,
            "inherit": "weights",
        },
        # GM-NAS, arXiv 2203.15207: splits at epochs 20 and 40 of 90, in its run with random paths.
        "gmnas": {
            "split": "gradient",
            "sharing": "whole",
            "sampler": "uniform",
            "split_rounds": 2,
            "split_batches": 100,
            "parent_share": 4 / 9,
            "inherit": "state",
        },
        # EFS-NAS, arXiv 2412.14678: its best recorded variant, three copies of cells by the running count.
        "efsnas": {"split": "nonlinear", "groups": 3, "sharing": "depth", "sampler": "balanced"},
        # DYNAS, arXiv 2503.10740, on SPOS.
        "dynas": {
            "split": "none",
            "sharing": "whole",
            "sampler": "uniform",
            "schedule": "complexity",
            "gamma_max": 4.0,
            "momentum_groups": "separated",
        },
    }
)
# Settings that belong to the preset's own split or sharing do not apply to another one.
_OF_SHARING = owned(SHARINGS) | {"parent_share", "inherit", "own_share", "parent_keeps", "scale", "label_both"}
_OF_SPLIT = owned(SPLITS) | _OF_SHARING | {"sharing"}
_OF_SAMPLER = owned(SAMPLERS)
# A user who chooses one of these without a preset composes a new combination, from the defaults of the fields.
_RULES = frozenset({"split", "sharing", "sampler", "bands", "groups", "thresholds", "parent_share"})


def with_preset(given: Mapping[str, Any], default: str) -> dict[str, Any]:
    """Returns settings completed by their preset; given settings take precedence.

    Args:
        given: Settings by name, perhaps with ``preset``, which is one of ``PRESETS``.
        default: The preset where none is named, and none of the rules that presets are made of.
    """
    if "preset" not in given and _RULES & given.keys():
        return dict(given)
    name = given.get("preset", default)
    preset = PRESETS[name]
    dropped: frozenset[str] = frozenset()
    for key, dependent in (("split", _OF_SPLIT), ("sharing", _OF_SHARING), ("sampler", _OF_SAMPLER)):
        if key in preset and given.get(key, preset[key]) != preset[key]:
            dropped |= dependent
    return {key: value for key, value in preset.items() if key not in dropped} | {"preset": name} | dict(given)


def of_no_use(given: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, str]:
    """Returns why given settings have no effect, by name: they belong to rules that are not chosen.

    A setting with its default value says nothing, and is accepted.

    Args:
        given: Settings by name; ``with_preset`` completes them by ``AUTO``.
        defaults: Default of every setting.
    """
    completed, found = with_preset(given, AUTO), {}
    for table, rules in (("split", SPLITS), ("sharing", SHARINGS), ("sampler", SAMPLERS), ("schedule", SCHEDULES)):
        chosen = completed.get(table, defaults[table])
        if not isinstance(chosen, str) or chosen not in rules:
            continue  # the field's own check reports it
        for name in sorted(given.keys() & (owned(rules) - rules[chosen].own)):
            if given[name] != defaults[name]:
                owners = " or ".join(repr(owner) for owner, rule in rules.items() if name in rule.own)
                found[name] = f"{name} has no effect with {table} = {chosen!r}: it belongs to {table} = {owners}"
    return found


def unsplit(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Returns settings by name without the ones that a split of the space needs: one supernet is trained."""
    kept = {name: value for name, value in settings.items() if name not in _OF_SPLIT | {"split", "preset"}}
    return {"preset": "oneshot", **kept}
