"""Silences Optuna's announcements, and names what it raises on damaged records."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import optuna
from optuna.exceptions import ExperimentalWarning

from surrogate_nas._support.files import UNREADABLE

UNREPLAYABLE = (*UNREADABLE, LookupError, AssertionError, AttributeError, TypeError)
"""Errors of Optuna on damaged records, which it replays without a check."""


@contextmanager
def quiet_optuna() -> Iterator[None]:
    """Silences Optuna's progress lines and warnings about experimental functions; both are restored afterwards.

    Named metrics are marked experimental in Optuna 5; they are the only way to label the dashboard's axes.
    """
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            yield
    finally:
        optuna.logging.set_verbosity(verbosity)
