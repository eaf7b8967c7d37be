"""Options for budgets: one for each cost, made from the rows of ``surrogate_nas.costs.cost``."""

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Annotated, Any

import typer

from surrogate_nas.costs.cost import BOUNDED, COSTS

Budgets = Mapping[str, str | None]
"""Key of a cost (``latency``) to the budget that was given on the command line; None where there was none.

Budgets on several devices are one text, as settings have them: ``5ms, raspi4=30ms``.
"""


def with_budget_options(command: Callable[..., Any], *, on_devices: bool = False) -> Callable[..., Any]:
    """Returns the command with an option for every cost in place of its parameter ``budgets``.

    Args:
        command: A function for typer with a parameter ``budgets`` of type ``Budgets``.
        on_devices: Whether a budget may be given again for another device.
    """
    made = [_parameter(key, on_devices) for key in BOUNDED]

    @wraps(command)
    def run(**words: Any) -> Any:  # noqa: ANN401 - as the command has them
        given = {key: words.pop(COSTS[name].keyword) for key, name in BOUNDED.items()}
        budgets = {key: ", ".join(value) or None if isinstance(value, list) else value for key, value in given.items()}
        return command(budgets=budgets, **words)

    signature = inspect.signature(command)
    parameters: list[inspect.Parameter] = []
    for parameter in signature.parameters.values():
        parameters += made if parameter.name == "budgets" else [parameter]
    run.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {one.name: one.annotation for one in parameters} | {"return": signature.return_annotation}
    return run


def _parameter(key: str, on_devices: bool) -> inspect.Parameter:
    cost = COSTS[BOUNDED[key]]
    again = on_devices and cost.on_devices
    elsewhere = f"; again as raspi4={cost.example} on another device" if again else ""
    text = f"{cost.bound}, such as {cost.example} or 40%{elsewhere}."
    kind = list[str] if again else str
    return inspect.Parameter(
        cost.keyword,
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[kind | None, typer.Option(metavar="BUDGET", help=text)],
    )
