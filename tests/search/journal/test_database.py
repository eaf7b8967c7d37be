"""URLs of databases: what is refused, what is shown, and what goes wrong with servers."""

import pickle
import sqlite3
import sys
from pathlib import Path

import optuna
import pytest
from optuna.study import StudyDirection

from surrogate_nas.errors import SettingsError, StoreError
from surrogate_nas.search.journal.database import Database
from surrogate_nas.search.journal.quiet_optuna import quiet_optuna
from tests.fixtures.postgresql import PASSWORD, PostgreSQL

MAXIMIZE = [StudyDirection.MAXIMIZE]


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://ada:s3cret@host:5432/db", "postgresql+psycopg://ada@host:5432/db"),
        ("postgres://ada@host/db", "postgresql+psycopg://ada@host/db"),
        ("postgresql+psycopg2://:s3cret@host/db", "postgresql+psycopg2://@host/db"),
        ("mysql://ada:s3/c:r%40et@host/db?charset=utf8", "mysql://ada@host/db?charset=utf8"),
        ("postgresql://host/db?user=ada&password=s3cret&a=b", "postgresql+psycopg://host/db?user=ada&password=...&a=b"),
        ("sqlite:////tmp/a.db", "sqlite:////tmp/a.db"),
    ],
)
def test_a_password_is_not_shown(url: str, shown: str) -> None:
    database = Database(url, "me")
    assert database.shown == shown
    assert "s3" not in repr(database)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("runs/a/search.journal", "takes the URL of a database"),
        ("redis://:s3cret@host", "unpickles everything that it reads from Redis"),
        ("postgresql://ada:s3@cret@host/db", "write @ as %40"),
        ("postgresql://ada:s3cret@host:port/db", "is not the URL of a database"),
        ("-o://ada:s3cret@host", "takes the URL of a database"),
    ],
)
def test_what_is_no_database_is_refused(url: str, reason: str) -> None:
    with pytest.raises(SettingsError, match=reason) as caught:
        Database(url, "me")
    assert "s3" not in str(caught.value)
    assert "cret" not in str(caught.value)


@pytest.mark.parametrize("url", ["postgresql://ada:s3cret@127.0.0.1:9/db", "nobodys://ada:s3cret@127.0.0.1:9/db"])
def test_a_missing_driver_is_named(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(SettingsError, match=r"driver of \S+ is not installed; install") as caught:
        Database(url, "me").connect()
    assert "s3cret" not in str(caught.value)


def test_a_server_that_does_not_answer_is_named() -> None:
    pytest.importorskip("psycopg", reason="psycopg is not installed: pip install 'surrogate_nas[postgresql]'")
    with pytest.raises(SettingsError, match=r"ada@127\.0\.0\.1:9/db cannot be used: .*[Rr]efused") as caught:
        Database("postgresql://ada:s3cret@127.0.0.1:9/db", "me").connect()
    assert "s3cret" not in str(caught.value)
    assert "sqlalche" not in str(caught.value)


def test_studies_of_others_are_left_alone_and_go_to_other_processes_without_connections(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/{{a}}.db"
    database = Database(url, "me")
    assert "storage" not in pickle.loads(pickle.dumps(database)).__dict__
    with database.answering():
        assert database.own("mine") is None
        study = database.create("mine", MAXIMIZE, {"inputs": "i"})
        assert study.user_attrs == {"run": "me", "inputs": "i"}
        with pytest.raises(StoreError, match="another process made"):
            database.create("mine", MAXIMIZE, {})
    assert (tmp_path / "{a}.db").exists()
    with pytest.raises(
        SettingsError, match=r"mine in sqlite:\S+ belongs to another run; remove it with: optuna delete-study"
    ):
        Database(url, "other").own("mine")
    with quiet_optuna():
        optuna.create_study(storage=database.storage, study_name="somebody's")
    with pytest.raises(SettingsError, match="was not made by surrogate_nas"):
        database.own("somebody's")
    assert len(optuna.get_all_study_names(database.storage)) == 2
    with database.answering():
        database.delete("mine")
        assert database.find("mine") is None


def test_what_a_database_holds_besides_is_refused_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("no database" * 100)
    with pytest.raises(SettingsError, match=r"text\.db cannot be used: file is not a database$"):
        Database(f"sqlite:///{tmp_path}/text.db", "me").connect()
    with pytest.raises(SettingsError, match="unable to open database file"):
        Database(f"sqlite:///{tmp_path}/no/folder.db", "me").connect()
    database = Database(f"sqlite:///{tmp_path}/old.db", "me")
    database.connect()
    with sqlite3.connect(tmp_path / "old.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'v0.9.0.a'")
    with pytest.raises(SettingsError, match="cannot be used: The runtime optuna version"):
        Database(database.url, "me").connect()
    with sqlite3.connect(tmp_path / "old.db") as connection:
        connection.execute("DROP TABLE studies")
    with (
        pytest.raises(StoreError, match=r"old\.db failed: no such table: studies.*continue with --resume"),
        database.answering(),
    ):
        database.own("mine")


@pytest.mark.slow
@pytest.mark.posix
def test_a_real_server_refuses_in_a_line_and_may_be_started_again(postgresql: PostgreSQL) -> None:
    for url, reason in [
        (postgresql.url(password="wr0ng"), "password authentication failed"),
        (postgresql.url("nowhere"), 'database "nowhere" does not exist'),
    ]:
        with pytest.raises(SettingsError, match=reason) as caught:
            Database(url, "me").connect()
        assert "wr0ng" not in str(caught.value)
        assert PASSWORD not in str(caught.value)
        assert "\n" not in str(caught.value)
    database = Database(postgresql.url(), "me")
    with database.answering():
        study = database.create("kept", MAXIMIZE, {})
        study.add_trial(optuna.trial.create_trial(value=1.0))
    postgresql.stop()
    try:
        with (
            pytest.raises(StoreError, match=r"failed: .*what is finished is kept, continue with --resume"),
            database.answering(),
        ):
            study.add_trial(optuna.trial.create_trial(value=2.0))
    finally:
        postgresql.start()
    with database.answering():
        study.add_trial(optuna.trial.create_trial(value=3.0))
        assert [trial.value for trial in database.storage.get_all_trials(study._study_id)] == [1.0, 3.0]
        database.delete("kept")
