"""Writes the Optuna study of a search to a database that other studies share.

As in a journal, trials that are there are compared with the proposals, and only the missing ones are added. A study of
other inputs is replaced; studies of other runs are left alone.
"""

import logging

from optuna.study import Study, StudyDirection

from surrogate_nas._support.stored.versions import require_version
from surrogate_nas.search.journal.database import Database
from surrogate_nas.search.journal.study_journal import SCHEMA, JournalHeader, Opened
from surrogate_nas.search.journal.trials import TrialBatch, agree

_log = logging.getLogger(__name__)


class StoredStudy:
    """Writes the trials of one search to a study in a database, which is checked or replaced when it is opened.

    Attributes:
        opened: Whether the study was created, resumed, or replaced because it was made from other inputs.
        notes: What was replaced, for the user.

    Args:
        database: The database.
        header: Identity of the search.

    Raises:
        SettingsError: If the database cannot be used, or the study of that name is another run's.
        StoreError: If the database fails, or a later version made the study.
    """

    def __init__(self, database: Database, header: JournalHeader) -> None:
        self.opened: Opened = "created"
        self.notes: list[str] = []
        self._database, self._header = database, header
        self._recorded: list[TrialBatch] = []
        with database.answering():
            study = database.own(header.name)
            if study is not None and not study.user_attrs.get("whole"):
                database.delete(header.name)  # its process was killed before it had any trials
                study = None
            self._study = study or self._created()
            if study is not None:
                where = f"the study {header.name} in {database.shown}"
                require_version(where, study.user_attrs.get("schema"), SCHEMA, "remove it")
                self.opened = "resumed"
                if [study.user_attrs.get(key) for key in ("space", "inputs")] != [header.space, header.inputs]:
                    self._replace("the study was made from another predictor, other costs, budgets or settings")

    def record(self, batch: TrialBatch) -> None:
        """Adds these trials after the recorded ones, unless the study has them; on return the database has them.

        Raises:
            StoreError: If the database fails.
        """
        start = sum(map(len, self._recorded))
        self._recorded.append(batch)
        with self._database.answering():
            # Of this process alone: the run folder lets no other one search for this run.
            stored = self._study.get_trials(deepcopy=False)[start : start + len(batch)]
            if not all(map(agree, stored, batch[: len(stored)].trials())):
                self._replace("the study holds the trials of another search")
                return
            self._study.add_trials(batch[len(stored) :].trials())

    def finish(self) -> None:
        """Checks that the study holds only the recorded trials; call it after the last ``record``."""
        with self._database.answering():
            if len(self._study.get_trials(deepcopy=False)) != sum(map(len, self._recorded)):
                self._replace("the study held more trials than this search has")

    def _created(self) -> Study:
        header = self._header
        directions = [StudyDirection.MAXIMIZE] + [StudyDirection.MINIMIZE] * (len(header.metrics) - 1)
        identity: dict[str, str | int] = {"schema": SCHEMA, "space": header.space, "inputs": header.inputs}
        study = self._database.create(header.name, directions, {**identity, **header.attributes})
        study.set_metric_names(list(header.metrics))
        study.set_user_attr("whole", True)
        return study

    def _replace(self, reason: str) -> None:
        note = f"{reason}; it was replaced: {self._header.name} in {self._database.shown}"
        _log.warning("%s", note)
        self.notes.append(note)
        self.opened = "replaced"
        self._database.delete(self._header.name)
        self._study = self._created()
        for batch in self._recorded:
            self._study.add_trials(batch.trials())
