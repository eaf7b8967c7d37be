"""Opens a database in which Optuna keeps studies, in the place of a journal in the run folder.

A password in its URL is never shown. Optuna's storages in Redis are refused: Optuna unpickles what it reads there.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property

import optuna
from optuna.exceptions import DuplicatedStudyError, StorageInternalError
from optuna.storages import RDBStorage
from optuna.study import Study, StudyDirection
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from surrogate_nas._support.commands import without_passwords
from surrogate_nas._support.words import one_line
from surrogate_nas.errors import SettingsError, StoreError, SurrogateNasError
from surrogate_nas.search.journal.quiet_optuna import UNREPLAYABLE, quiet_optuna

_ANSWER_SECONDS = 10
_DRIVERS = {"postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}
# What a driver writes before the reason, and SQLAlchemy after it.
_AROUND = re.compile(r"^\([\w.]+\) |\(Background on this error at: \S+\)")


@dataclass(frozen=True)
class Database:
    """A database of Optuna's studies, and the run that uses it; processes can be handed it.

    Attributes:
        url: As SQLAlchemy takes it, such as ``postgresql://ada@host/studies``; psycopg reads PostgreSQL.
        run: Identity of the run. Studies of other runs are left alone.

    Raises:
        SettingsError: If the URL is malformed, or names something else than a database of SQLAlchemy.
    """

    url: str = field(repr=False)
    run: str

    def __post_init__(self) -> None:
        """Checks the URL, and names the driver of PostgreSQL."""
        scheme, mark, rest = self.url.partition("://")
        if scheme.startswith("redis"):
            raise SettingsError(
                "--storage: Optuna unpickles everything that it reads from Redis, so that others could run programs"
                " here; use a database, such as postgresql://USER@HOST/DATABASE"
            )
        if not mark or not re.fullmatch(r"[a-z][a-z0-9_+]*", scheme):
            raise SettingsError(
                "--storage takes the URL of a database, such as postgresql://USER@HOST/DATABASE or"
                f" sqlite:////PATH/FILE (got {self.shown!r})"
            )
        if rest.partition("?")[0].count("@") > 1:
            # SQLAlchemy would take the end of the password for the host, and drivers print that.
            raise SettingsError(f"--storage: write @ as %40 in user and password of {self.shown}")
        # Optuna fills in fields in braces.
        rest = rest.replace("{", "%7B").replace("}", "%7D")
        url = f"{_DRIVERS.get(scheme, scheme)}://{rest}"
        try:
            make_url(url)
        except (ArgumentError, ValueError):
            raise SettingsError(f"--storage: {self.shown} is not the URL of a database") from None
        object.__setattr__(self, "url", url)

    @property
    def shown(self) -> str:
        """The URL without its password."""
        return without_passwords(self.url)

    @cached_property
    def storage(self) -> RDBStorage:
        """Optuna's storage in the database, whose tables are made where they are missing; of this process alone.

        Raises:
            SettingsError: If the driver is not installed, or the server does not answer or refuses.
        """
        options = {"connect_timeout": _ANSWER_SECONDS} if self.url.startswith(("postgresql", "mysql")) else {}
        try:
            with quiet_optuna():
                # Ping: the server may have been started again since the last trial.
                return RDBStorage(self.url, engine_kwargs={"pool_pre_ping": True, "connect_args": options})
        except (ImportError, NoSuchModuleError):
            raise SettingsError(f"--storage: the driver of {self.shown} is not installed; {self._remedy}") from None
        except (SQLAlchemyError, StorageInternalError, UnicodeError) as error:
            raise SettingsError(f"--storage: {self.shown} cannot be used: {_reason(error)}") from None
        except RuntimeError as error:  # tables of another version of Optuna
            raise SettingsError(f"--storage: {self.shown} cannot be used: {one_line(error)}") from None

    def connect(self) -> None:
        """Connects to the database, to see that it answers.

        Raises:
            SettingsError: As ``storage``.
        """
        _ = self.storage

    def __getstate__(self) -> dict[str, str]:
        """Leaves connections to the process that made them."""
        return {"url": self.url, "run": self.run}

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Makes errors of the project of what Optuna and drivers raise.

        Raises:
            StoreError: If the server goes away, or what it holds is damaged.
        """
        try:
            with quiet_optuna():
                yield
        except (SurrogateNasError, OSError):
            raise
        except (SQLAlchemyError, StorageInternalError) as error:
            raise StoreError(
                f"the database {self.shown} failed: {_reason(error)}; what is finished is kept, continue with --resume"
            ) from None
        except UNREPLAYABLE as error:
            raise StoreError(f"a study in {self.shown} is damaged: {one_line(error, 100)}") from None

    def find(self, name: str) -> Study | None:
        """Returns a study by its name, if there is one. Call it inside ``answering``."""
        try:
            return optuna.load_study(study_name=name, storage=self.storage, sampler=optuna.samplers.RandomSampler())
        except KeyError:
            return None

    def create(self, name: str, directions: Sequence[StudyDirection], attributes: Mapping[str, str | int]) -> Study:
        """Creates a study of this run. Call it inside ``answering``.

        Args:
            name: Its name.
            directions: Of each objective.
            attributes: Attributes that tell it from others.
        """
        try:
            study = optuna.create_study(
                storage=self.storage,
                study_name=name,
                directions=list(directions),
                sampler=optuna.samplers.RandomSampler(),  # never used; without it Optuna makes a TPE sampler
            )
        except DuplicatedStudyError:
            raise StoreError(f"another process made the study {name} in {self.shown} just now") from None
        # The run first, so that nobody takes a half-made study of this run for a stranger's.
        for key, value in {"run": self.run, **attributes}.items():
            study.set_user_attr(key, value)
        return study

    def own(self, name: str) -> Study | None:
        """Returns the study of this run by its name, if there is one. Call it inside ``answering``.

        Raises:
            SettingsError: If the study of that name is another run's, or nobody's of this project.
        """
        study = self.find(name)
        if study is None:
            return None
        if study.user_attrs.get("run") != self.run:
            made = "belongs to another run" if "run" in study.user_attrs else "was not made by surrogate_nas"
            raise SettingsError(
                f"--storage: the study {name} in {self.shown} {made}; remove it with: optuna delete-study"
                f" --study-name {name} --storage {self.shown} (a new run may have another name: --set name=NAME)"
            )
        return study

    def delete(self, name: str) -> None:
        """Removes a study and its trials. Call it inside ``answering``."""
        self.storage.delete_study(self.storage.get_study_id_from_name(name))

    @property
    def _remedy(self) -> str:
        if self.url.startswith("postgresql+psycopg:"):
            return "install it with: pip install 'surrogate_nas[postgresql]'"
        return "install the Python package that SQLAlchemy names for it"


def _reason(error: BaseException) -> str:
    """Returns what the driver says, in one line; Optuna and SQLAlchemy keep it inside."""
    cause = error.__cause__ or error
    return one_line(Exception(_AROUND.sub("", str(getattr(cause, "orig", None) or cause)))).rstrip(". ")
