"""Neural architecture search under a latency budget.

The names below are loaded when they are first used, each with what it needs and no more: ``LookupTable`` without torch.
"""

__version__ = "0.1.0"
__all__ = ["LookupTable", "Space", "Study", "StudyResult", "load_model", "load_space", "operation"]

TYPE_CHECKING = False  # as typing has it, which would have to be imported
if TYPE_CHECKING:
    from surrogate_nas.export.model_folder import load_model
    from surrogate_nas.lookup.table import LookupTable
    from surrogate_nas.nets.own_operations import operation
    from surrogate_nas.space.load import load_space
    from surrogate_nas.space.space import Space
    from surrogate_nas.study.api import Study, StudyResult

_PLACES = {
    "LookupTable": "surrogate_nas.lookup.table",
    "Space": "surrogate_nas.space.space",
    "Study": "surrogate_nas.study.api",
    "StudyResult": "surrogate_nas.study.api",
    "load_model": "surrogate_nas.export.model_folder",
    "load_space": "surrogate_nas.space.load",
    "operation": "surrogate_nas.nets.own_operations",
}


def __getattr__(name: str) -> object:
    """The public name, imported now."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has {', '.join(__all__)}")
    from importlib import import_module

    return getattr(import_module(_PLACES[name]), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
