"""Functions that are imported when they are first called, so that a table of them costs no import."""

from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import Any


@dataclass(frozen=True)
class Late:
    """A callable by its place, such as ``"surrogate_nas.predictor.models.ridge:RidgeScorer"``.

    Attributes:
        place: Module and name, with a colon between them.
    """

    place: str

    @cached_property
    def target(self) -> Any:  # noqa: ANN401 - whatever stands there
        """The callable, imported now.

        Raises:
            ImportError: If there is no such module.
            AttributeError: If the module has no such name.
        """
        module, _, name = self.place.partition(":")
        return getattr(import_module(module), name)

    def __call__(self, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - of the callable
        """Calls it."""
        return self.target(*arguments, **options)
