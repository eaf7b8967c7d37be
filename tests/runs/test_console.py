"""Each message goes to the right place: terminals, pipes, the log."""

import io
import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from surrogate_nas.errors import WriteError
from surrogate_nas.runs.console import StudyConsole


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


MakeTerminal = Callable[..., tuple[StudyConsole, Terminal]]


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> MakeTerminal:
    """Returns a console whose standard error is a terminal 80 columns wide."""

    def make(**variables: str) -> tuple[StudyConsole, Terminal]:
        stream = Terminal()
        monkeypatch.setattr("sys.stderr", stream)
        for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE"):
            monkeypatch.delenv(name, raising=False)
        for name, value in {"TERM": "xterm-256color", "COLUMNS": "80", **variables}.items():
            monkeypatch.setenv(name, value)
        return StudyConsole(), stream

    return make


def test_notes_go_to_standard_error_and_tables_to_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    console = StudyConsole()
    console.note("a note [not markup]")
    console.detail("a detail")
    console.warn("a warning")
    console.error("an error")
    console.hint("next", "python -m this --path [x]")
    console.table("Title", ["name", "number"], [["row", "1"]])
    out, errors = capsys.readouterr()
    assert errors.splitlines() == [
        "a note [not markup]",
        "warning: a warning",
        "error: an error",
        "next:            python -m this --path [x]",
    ]
    assert out.splitlines()[0].strip() == "Title"
    assert "row" in out


def test_quiet_keeps_warnings_and_results(capsys: pytest.CaptureFixture[str]) -> None:
    console = StudyConsole(quiet=True)
    console.note("a note")
    console.hint("next", "command")
    console.warn("a warning")
    with console.progress("work") as advance:
        advance(1, 2)
    console.table("Title", ["name"], [["row"]])
    out, errors = capsys.readouterr()
    assert errors == "warning: a warning\n"
    assert "Title" in out


def test_standard_output_is_kept_for_json(capsys: pytest.CaptureFixture[str]) -> None:
    StudyConsole(json=True).table("Title", ["name"], [["row"]])
    out, errors = capsys.readouterr()
    assert out == ""
    assert "Title" in errors
    StudyConsole(json=True, quiet=True).table("Title", ["name"], [["row"]])
    assert capsys.readouterr() == ("", "")


def test_details_are_for_those_who_ask(capsys: pytest.CaptureFixture[str]) -> None:
    StudyConsole(verbose=True).detail("a detail")
    assert capsys.readouterr().err == "a detail\n"


def test_long_lines_in_a_pipe_are_not_broken(capsys: pytest.CaptureFixture[str]) -> None:
    StudyConsole().note("word " * 60)
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_bar_fits_its_terminal_and_shows_times(terminal: MakeTerminal) -> None:
    console, stream = terminal(NO_COLOR="1")
    with console.progress("supernets (2 x 90,000 steps)") as advance:
        for done in (0, 100, 40_000, 90_000):
            advance(done, 180_000)
    lines = [line for line in stream.getvalue().replace("\r", "\n").split("\n") if "supernets" in line]
    plain = [line.replace("\x1b[2K", "") for line in lines]
    assert plain
    assert all(len(line) <= 80 for line in plain)
    assert "0:00:00" in plain[-1]
    assert "left" in plain[-1]


def test_a_finished_bar_has_nothing_left(terminal: MakeTerminal) -> None:
    console, stream = terminal()
    with console.progress("report"):
        pass
    last = [line for line in stream.getvalue().replace("\r", "\n").split("\n") if "report" in line][-1]
    assert "100%" in last
    assert "left" not in last


def test_what_an_earlier_process_did_is_no_speed(terminal: MakeTerminal) -> None:
    console, stream = terminal(NO_COLOR="1")
    with console.progress("supernets") as advance:
        advance(90_000, 100_000)
    assert "-:--:-- left" in stream.getvalue()


def test_no_color_is_honoured(terminal: MakeTerminal) -> None:
    for variables, coloured in (({}, True), ({"NO_COLOR": "1"}, False)):
        console, stream = terminal(**variables)
        console.warn("careful")
        assert ("\x1b[33m" in stream.getvalue()) is coloured


def test_a_run_whose_log_is_of_another_process_begins_too(capsys: pytest.CaptureFixture[str]) -> None:
    with StudyConsole(quiet=True) as console:
        console.warn_of_stop()
        console.begin()
        assert console.has_begun
        console.warn_of_stop()
    before, after = capsys.readouterr().err.splitlines()
    assert "saved" not in before
    assert "what is done is being saved" in after


def test_everything_said_is_logged_with_what_other_stages_log(tmp_path: Path) -> None:
    with StudyConsole(quiet=True) as console:
        before = console.has_begun
        console.log_to(tmp_path / "log.txt")
        assert (before, console.has_begun) == (False, True)
        console.note("100% of a note")
        logging.getLogger("surrogate_nas.search.journal.study_journal").warning("from elsewhere")
        with console.progress("work") as advance:
            for done in range(11):
                advance(done, 20)
    logging.getLogger("surrogate_nas.study").info("after the end")
    said = [line.split(" ", 3)[2:] for line in (tmp_path / "log.txt").read_text(encoding="utf-8").splitlines()]
    assert [words[-1].strip() for words in said] == [
        "100% of a note",
        "from elsewhere",
        "work: started",
        *(f"work: {10 * tenth}%" for tenth in range(1, 6)),
    ]


def test_other_stages_log_nothing_on_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    StudyConsole()
    logging.getLogger("surrogate_nas.search.journal.study_journal").warning("from elsewhere")
    assert capsys.readouterr() == ("", "")


@pytest.mark.posix
def test_a_log_that_cannot_be_written_is_an_error_and_a_full_disk_is_silence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with StudyConsole(quiet=True) as console, pytest.raises(WriteError, match="cannot be written"):
        console.log_to(tmp_path)
    with StudyConsole(quiet=True) as console:
        console.log_to(Path("/dev/full"))
        console.note("a note")
    assert capsys.readouterr().err == ""


def test_no_name_steers_the_terminal_or_the_log(
    terminal: MakeTerminal, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with StudyConsole() as console:
        console.log_to(tmp_path / "log.txt")
        console.note("a\x1b[2J")
        console.warn("b\x07")
        console.table("c\x9b", ["d\x1b"], [["e\x1b]0;x"]])
    shown = "".join(capsys.readouterr()) + (tmp_path / "log.txt").read_text(encoding="utf-8")
    assert not any(sign in shown for sign in "\x1b\x07\x9b")
    console, stream = terminal()
    console.warn("b\x1b[2J")
    assert "\x1b[2J" not in stream.getvalue()
    assert "\x1b[33m" in stream.getvalue()  # its own colours stay


def test_a_caller_in_python_gets_its_logger_back(monkeypatch: pytest.MonkeyPatch) -> None:
    logger = logging.getLogger("surrogate_nas")
    monkeypatch.setattr(logger, "level", logging.ERROR)
    monkeypatch.setattr(logger, "propagate", True)
    with StudyConsole():
        assert not logger.propagate
    assert (logger.level, logger.propagate) == (logging.ERROR, True)
