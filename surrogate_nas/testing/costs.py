"""Conformance kit of cost models: every model, also one of a third party, passes all of ``COST_CHECKS``.

A check takes a model and the space whose architectures it values, and raises an ``AssertionError`` that says what does
not hold.
"""

import json
from collections.abc import Callable
from functools import partial

import numpy as np

from surrogate_nas.costs.cost import COSTS
from surrogate_nas.errors import SettingsError, SpaceError
from surrogate_nas.hardware.protocol import CostSource
from surrogate_nas.space.space import Space
from surrogate_nas.testing.rules import refuses, require

CostCheck = Callable[[CostSource, Space], None]


def check_values(model: CostSource, space: Space) -> None:
    """Every architecture has every cost, known by name, finite and above zero."""
    values = model.evaluate(space.sample(30, np.random.default_rng(0)))
    require(tuple(values) == model.names, f"costs are {model.names}, in this order (got {tuple(values)})")
    require(set(model.names) <= set(COSTS), f"names of costs are among {tuple(COSTS)} (got {model.names})")
    for name, column in values.items():
        require(column.shape == (30,) and column.dtype == np.float64, f"{name} is one float64 for each architecture")
        require(bool(np.isfinite(column).all() and (column > 0).all()), f"{name} is finite and above zero")


def check_each_alone(model: CostSource, space: Space) -> None:
    """The cost of an architecture does not depend on the others that are asked about."""
    codes = space.sample(10, np.random.default_rng(1))
    together, none = model.evaluate(codes), model.evaluate(codes[:0])
    for name in model.names:
        alone = [float(model.evaluate(code[None])[name][0]) for code in codes]
        require(np.allclose(together[name], alone, rtol=1e-12, atol=0), f"{name} is the same among others and alone")
        require(none[name].shape == (0,), f"no architectures have no {name}")


def check_errors(model: CostSource, space: Space) -> None:  # noqa: ARG001 - all checks take a space
    """The error to expect of a cost is a number or declared unknown; other costs are refused."""
    for name in model.names:
        error = model.relative_error(name)
        require(error is None or error >= 0, f"the error of {name} is at least 0 (got {error})")
        held_out = model.held_out_errors(name)
        require(held_out.ndim == 1 and bool(np.isfinite(held_out).all()), f"errors of {name} are finite, shape (M,)")
    others = [cost for cost in COSTS if cost not in model.names]
    for cost in others[:1]:
        refuses(partial(model.relative_error, cost), f"the error of {cost}", *model.names, error=SettingsError)


def check_description(model: CostSource, space: Space) -> None:  # noqa: ARG001 - all checks take a space
    """A description is JSON with an entry for each cost, which names its kind."""
    try:
        described = json.loads(json.dumps(model.describe(), allow_nan=False))
    except (TypeError, ValueError) as error:
        raise AssertionError(f"does not hold: a description is JSON ({error})") from None
    require(tuple(described) == model.names, f"a description has the entries {model.names} (got {tuple(described)})")
    for name, entry in described.items():
        require({"kind", "notes"} <= set(entry), f"the description of {name} has a kind and notes (got {set(entry)})")


def check_wrong_codes(model: CostSource, space: Space) -> None:
    """Codes of another space are refused."""
    code = np.zeros(space.num_decisions, dtype=np.int64)
    code[-1] = len(space.decisions[-1].choices)
    for codes in (code[None], code[None, :-1]):
        refuses(partial(model.evaluate, codes), f"the code {codes[0].tolist()} of another space", error=SpaceError)


COST_CHECKS: tuple[CostCheck, ...] = (
    check_values,
    check_each_alone,
    check_errors,
    check_description,
    check_wrong_codes,
)
