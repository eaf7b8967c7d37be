"""Shows a search in optuna-dashboard: the command, a server next to a run, and notes and files of the study.

The server is a separate process that reads the journal or the database; the run does not depend on it.
"""

import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import uuid
from collections.abc import Sequence
from pathlib import Path

import optuna
from optuna.artifacts import FileSystemArtifactStore, get_all_artifact_meta, upload_artifact
from optuna.samplers import RandomSampler
from optuna.storages import BaseStorage, JournalStorage

from surrogate_nas._support.commands import quoted
from surrogate_nas._support.files import atomic_write
from surrogate_nas._support.words import one_line
from surrogate_nas.errors import SettingsError, StoreError
from surrogate_nas.search.journal.database import Database
from surrogate_nas.search.journal.journal import BatchJournal, JournalLock
from surrogate_nas.search.journal.quiet_optuna import UNREPLAYABLE, quiet_optuna

LOOPBACK = "127.0.0.1"
_PATIENCE_S = 10.0
# Key of notes in optuna-dashboard.
_NOTE_VERSION, _NOTE_TEXT = "dashboard:note_ver", "dashboard:note_str:0"
_NOTE_LENGTH = 2000  # characters that it keeps in one attribute
_URL = "SURROGATE_NAS_STORAGE"  # every user of a machine sees the words of a command, but not its environment
_SERVE = "from optuna_dashboard._cli import main; main()"
_SERVE_URL = f"import os, sys; sys.argv.insert(1, os.environ.pop('{_URL}')); {_SERVE}"


def dashboard_command(journal: Path | str) -> str:
    """Returns the command that shows a search in a browser; it may run during the search.

    optuna-dashboard 0.21 treats the path of an existing file as a journal, unless it starts like an option or like the
    address of a Redis server.

    Args:
        journal: The journal, or the URL of a database without its password.
    """
    return quoted(["optuna-dashboard", journal if isinstance(journal, str) else _plain(journal)])


def _plain(journal: Path) -> str:
    path = str(journal)
    return f"./{path}" if path.startswith(("-", "redis")) else path


class Dashboard:
    """A server of one journal or database on the loopback address.

    Args:
        journal: An existing journal, or a database.
        artifacts: Folder of files attached to the study.

    Raises:
        SettingsError: If optuna-dashboard is not installed.
    """

    def __init__(self, journal: Path | Database, artifacts: Path) -> None:
        if importlib.util.find_spec("optuna_dashboard") is None:
            raise SettingsError("the dashboard needs optuna-dashboard: pip install 'surrogate_nas[dashboard]'")
        self._journal, self._artifacts = journal, artifacts
        self._port = 0
        self._server: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Address of the server."""
        return f"http://{LOOPBACK}:{self._port}/dashboard/"

    def start(self) -> None:
        """Starts the server, or restarts it where the journal was replaced; does not wait for it."""
        self.stop()
        self._artifacts.mkdir(parents=True, exist_ok=True)
        if not self._port:
            with socket.socket() as probe:
                probe.bind((LOOPBACK, 0))
                self._port = int(probe.getsockname()[1])
        words = ["--host", LOOPBACK, "--port", str(self._port), "--artifact-dir", str(self._artifacts)]
        if isinstance(self._journal, Database):
            program, environment = _SERVE_URL, os.environ | {_URL: self._journal.url}
        else:
            program, environment = _SERVE, dict(os.environ)
            words.insert(0, _plain(self._journal))
        self._server = subprocess.Popen(
            # -P: nothing is imported from the working folder, which may be somebody else's.
            [sys.executable, "-P", "-c", program, *words],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            # The run handles an interrupt from the keyboard, and then ends the server. The second flag is for Windows.
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )

    def stop(self) -> None:
        """Ends the server, if it runs."""
        if self._server is None:
            return
        self._server.terminate()
        try:
            self._server.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._server.kill()
            self._server.wait()
        self._server = None


def annotate(journal: Path | Database, study: str, note: str, files: Sequence[Path], artifacts: Path) -> None:
    """Gives a study a note (Markdown) and files; files of the same names are replaced.

    Args:
        journal: An existing journal of that study, or the database that has it.
        study: Name of the Optuna study.
        note: Text; it is cut at the dashboard's limit.
        files: Files to attach as copies.
        artifacts: Folder where the copies are kept.

    Raises:
        StoreError: If what the journal says of notes and files makes no sense.
        WriteError: If a copy cannot be written.
    """
    artifacts.mkdir(parents=True, exist_ok=True)
    if isinstance(journal, Database):
        with journal.answering():
            _annotate(journal.storage, study, note, files, artifacts)
        return
    lock = JournalLock(journal)
    try:
        with lock.held(), quiet_optuna():
            _annotate(JournalStorage(BatchJournal(journal, lock)), study, note, files, artifacts)
    except UNREPLAYABLE as error:
        raise StoreError(f"notes and files in {journal} are damaged: {one_line(error, 100)}") from None


def _annotate(storage: BaseStorage, name: str, note: str, files: Sequence[Path], artifacts: Path) -> None:
    study = optuna.load_study(study_name=name, storage=storage, sampler=RandomSampler())
    known = storage.get_study_system_attrs(study._study_id)
    if known.get(_NOTE_TEXT) != note[:_NOTE_LENGTH]:
        storage.set_study_system_attr(study._study_id, _NOTE_VERSION, int(known.get(_NOTE_VERSION, 0)) + 1)
        storage.set_study_system_attr(study._study_id, _NOTE_TEXT, note[:_NOTE_LENGTH])
    # An identifier is the name of a copy, and a journal may come from anywhere: others than Optuna's are passed over.
    listed = [meta for meta in get_all_artifact_meta(study) if _is_identifier(meta.artifact_id)]
    present = {meta.filename: meta.artifact_id for meta in listed}
    # Files of a replaced study belong to none.
    for left in artifacts.iterdir():
        if left.name not in present.values() and not left.is_dir():
            left.unlink()
    store = FileSystemArtifactStore(str(artifacts))
    for file in files:
        if file.name in present:
            # The same name is the same place in the dashboard: only its content is replaced.
            with atomic_write(artifacts / present[file.name]) as temporary:
                shutil.copyfile(file, temporary)
            continue
        upload_artifact(artifact_store=store, file_path=str(file), study_or_trial=study)


def _is_identifier(text: object) -> bool:
    """Returns whether a text is one of Optuna's identifiers of artifacts."""
    try:
        return str(uuid.UUID(str(text))) == text
    except ValueError:
        return False
