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


def with_budget_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Returns the command with an option for every cost in place of its parameter ``budgets``.

    Every option may be given again, so that the command can refuse a second budget; the last one must not win.

    Args:
        command: A function for typer with a parameter ``budgets`` of type ``Budgets``.
    """
    made = [_parameter(key) for key in BOUNDED]

    @wraps(command)
    def run(**words: Any) -> Any:  # noqa: ANN401 - as the command has them
        given = {key: words.pop(COSTS[name].keyword) for key, name in BOUNDED.items()}
        # An empty text is a budget, which is refused: a script may have meant a variable that is not set.
        budgets = {key: ", ".join(value) if value else None for key, value in given.items()}
        return command(budgets=budgets, **words)

    signature = inspect.signature(command)
    parameters: list[inspect.Parameter] = []
    for parameter in signature.parameters.values():
        parameters += made if parameter.name == "budgets" else [parameter]
    run.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {one.name: one.annotation for one in parameters} | {"return": signature.return_annotation}
    return run


def _parameter(key: str) -> inspect.Parameter:
    cost = COSTS[BOUNDED[key]]
    elsewhere = f" Repeat it as raspi4={cost.example} for another device." if cost.on_devices else ""
    text = f"{cost.bound}: a value such as {cost.example}, or 40% for the cheapest 40% of the space.{elsewhere}"
    return inspect.Parameter(
        cost.keyword,
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[list[str] | None, typer.Option(metavar="BUDGET", help=text)],
    )
