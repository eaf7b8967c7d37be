"""Silence is local."""

import warnings

import optuna
import pytest
from optuna.exceptions import ExperimentalWarning

from surrogate_nas.search.journal.quiet_optuna import quiet_optuna


def test_verbosity_is_restored_even_after_an_error() -> None:
    before = optuna.logging.get_verbosity()
    inside = []

    def fail() -> None:
        with quiet_optuna():
            inside.append(optuna.logging.get_verbosity())
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert inside == [optuna.logging.ERROR]
    assert optuna.logging.get_verbosity() == before


def test_only_experimental_warnings_are_silenced() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with quiet_optuna():
            warnings.warn("named metrics", ExperimentalWarning, stacklevel=1)
            with pytest.raises(FutureWarning):
                warnings.warn("deprecated", FutureWarning, stacklevel=1)
