"""Completions of the console command: words that may complete the one being typed; nothing here needs torch."""

from collections.abc import Iterable

from surrogate_nas._support.definitions import available
from surrogate_nas.data.sources import SOURCES
from surrogate_nas.deploy.train.train_request import TrainSettings
from surrogate_nas.runs.settings import StudySettings
from surrogate_nas.runs.study_file import settings_of
from surrogate_nas.runs.tracking import TRACKERS

DEVICES = ("auto", "cpu", "cuda", "mps")


def studies(begun: str) -> list[str]:
    """Returns studies that come with the project; the shell itself completes files."""
    return _beginning(available("studies"), begun)


def spaces(begun: str) -> list[str]:
    """Returns search spaces that come with the project."""
    return _beginning(available("spaces"), begun)


def data_sets(begun: str) -> list[str]:
    """Returns data sets that have a name; folders are completed by the shell."""
    return _beginning(set(SOURCES) - {"folder"}, begun)


def devices(begun: str) -> list[str]:
    """Returns devices of this machine or another of its kind."""
    return _beginning(DEVICES, begun)


def trackers(begun: str) -> list[str]:
    """Returns trackers that a run can be sent to."""
    return _beginning(TRACKERS, begun)


def settings(begun: str) -> list[str]:
    """Returns keys of settings with an equals sign, for ``--set``."""
    return _beginning((f"{key}=" for key in settings_of(StudySettings)), begun)


def final_settings(begun: str) -> list[str]:
    """Returns keys of settings of a final training with an equals sign, for ``--set``."""
    return _beginning((f"{key}=" for key in settings_of(TrainSettings)), begun)


def _beginning(names: Iterable[str], begun: str) -> list[str]:
    return sorted(name for name in names if name.startswith(begun))
