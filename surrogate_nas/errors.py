"""Every error that a user can cause or meet, each with the exit code that a command line ends with."""

import re

_LONGEST, _BEGINNING, _END = 1000, 200, 90
# No word of a person and no name of a file; parts of a path are words of their own.
_ENDLESS_WORD = re.compile(r"[^\s/]{100,}")


class SurrogateNasWarning(UserWarning):
    """Something works but deserves the user's attention."""


class SurrogateNasError(Exception):
    """Root of all errors raised on purpose; a command line prints its message as one line, without a traceback.

    Example:
        >>> from surrogate_nas import SurrogateNasError, load_space
        >>> try:
        ...     load_space("nowhere")
        ... except SurrogateNasError as error:
        ...     print(error.exit_code)
        2
    """

    exit_code = 1

    def __str__(self) -> str:
        # Messages repeat what they refuse, which may be any text of a file: beginning and remedy stay, in one line.
        text = " ".join(line.strip() for line in super().__str__().splitlines())
        text = _ENDLESS_WORD.sub(lambda word: f"{word[0][:50]}...", text)
        return text if len(text) <= _LONGEST else f"{text[:_BEGINNING]} ... {text[-_END:]}"


class SettingsError(SurrogateNasError, ValueError):
    """A setting, option, study or definition is unknown or has an impossible value."""

    exit_code = 2


class SpaceError(SettingsError):
    """A search space or an architecture is malformed."""


class ProgramError(SpaceError):
    """The program of a space fails, or may not be run."""


class DataError(SettingsError):
    """Images cannot be used: missing, unreadable, of one class only."""


class CostTableError(SettingsError):
    """A table of latencies or other costs is incomplete or inconsistent."""


class BudgetError(SettingsError):
    """A budget is malformed."""


class TruthError(SettingsError):
    """A ground-truth table cannot be read or does not belong to the space."""


class RunFolderError(SettingsError):
    """A run folder cannot be used: in the way, locked, or made with something else."""


class StoreError(SurrogateNasError):
    """A file that the project wrote (labels, checkpoint, predictor, lookup table) is damaged or foreign."""


class UnreadableError(StoreError):
    """A file that the project wrote cannot be read now, such as on a disk that is away; what it holds may be whole."""


class WriteError(SurrogateNasError, OSError):
    """A file cannot be written: no room, no permission, a folder in its place. What was there before is kept."""


class TrainingError(SurrogateNasError):
    """Training cannot continue, such as after a loss that is not finite."""


class MeasurementError(SurrogateNasError):
    """A latency could not be measured."""


class ExportError(SurrogateNasError):
    """A trained network could not be written for deployment, or computes something else there."""


class PredictionError(SurrogateNasError):
    """Images could not be classified by a model."""


class InfeasibleBudgetError(SurrogateNasError):
    """No architecture of the space meets the budget."""

    exit_code = 3


class Interrupted(SurrogateNasError):  # noqa: N818 - an interruption is an outcome, not an error
    """The user asked to stop; everything made so far is saved."""

    exit_code = 130
