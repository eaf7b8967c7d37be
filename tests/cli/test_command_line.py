"""Exit codes and one-line errors of a small command line."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from surrogate_nas.cli.command_line import complain, in_home, print_version, run_command, say
from surrogate_nas.errors import InfeasibleBudgetError, Interrupted, SettingsError, StoreError, SurrogateNasError

ERRORS = {"settings": SettingsError, "store": StoreError, "budget": InfeasibleBudgetError, "stop": Interrupted}


@pytest.fixture
def app() -> typer.Typer:
    made = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

    @made.command()
    def fail(
        kind: str,
        count: int = 1,
        version: bool = typer.Option(False, "--version", callback=print_version, is_eager=True),
    ) -> None:
        if kind in ERRORS:
            raise ERRORS[kind](f"no good {kind}")
        if kind == "ctrl-c":
            raise KeyboardInterrupt
        if kind == "package":
            raise ModuleNotFoundError("No module named 'torch'", name="torch.nn")
        if kind == "ours":
            raise ModuleNotFoundError("No module named 'surrogate_nas.x'", name="surrogate_nas.x")
        if kind == "code":
            raise typer.Exit(7)
        say(f"{kind} {count}")

    return made


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (Path("~/x"), Path("/home/me/x")),
        (("csv", Path("~/x")), ("csv", Path("/home/me/x"))),
        ([Path("~/x"), Path("~")], [Path("/home/me/x"), Path("/home/me")]),
        (Path("a/~/x"), Path("a/~/x")),
        (None, None),
    ],
)
def test_paths_begin_in_the_home_folder(given: Any, expected: object, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ANN401
    for variable in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(variable, "/home/me")
    assert in_home(given) == expected


@pytest.mark.parametrize("kind", sorted(ERRORS))
def test_errors_of_the_project_are_one_line_and_their_code(
    app: typer.Typer, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    error: type[SurrogateNasError] = ERRORS[kind]
    assert run_command(app, "prog", [kind]) == error.exit_code
    assert capsys.readouterr() == ("", f"error: no good {kind}\n")


def test_a_package_that_is_not_installed_is_named(app: typer.Typer, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(app, "prog", ["package"]) == 2
    said = "error: this needs torch, which is not installed; install all packages: pip install surrogate_nas\n"
    assert capsys.readouterr() == ("", said)
    # A module of the project that is missing is a fault of it.
    with pytest.raises(ModuleNotFoundError):
        run_command(app, "prog", ["ours"])


def test_success_prints_the_result_alone(app: typer.Typer, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(app, "prog", ["fine", "--count", "3"]) == 0
    assert capsys.readouterr() == ("fine 3\n", "")


def test_wrong_usage_is_one_line_and_2(app: typer.Typer, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["fine", "--count", "many"], ["fine", "--nope"], []):
        assert run_command(app, "prog", words) == 2
        output, errors = capsys.readouterr()
        assert output == ""
        assert errors.startswith("error: ")
        assert errors.endswith("(see --help)\n")
        assert errors.count("\n") == 1


def test_an_interrupt_is_130_and_own_codes_are_kept(app: typer.Typer) -> None:
    assert run_command(app, "prog", ["ctrl-c"]) == 130
    assert run_command(app, "prog", ["code"]) == 7


def test_version(app: typer.Typer, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(app, "prog", ["fine", "--version"]) == 0
    assert capsys.readouterr().out.startswith("surrogate_nas ")


@pytest.mark.posix
def test_a_closed_pipe_is_no_error() -> None:
    program = "from surrogate_nas.cli.command_line import say; [say('x' * 10_000) for _ in range(100)]"
    done = subprocess.run(
        ["bash", "-c", f'"{sys.executable}" -c "{program}" | head -c 1; exit ${{PIPESTATUS[0]}}'],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "x", "")


def test_results_and_errors_do_not_steer_the_terminal(app: typer.Typer, capsys: pytest.CaptureFixture[str]) -> None:
    complain("warning: \x1b]0;x\x07\nerror: a false line")
    assert len(capsys.readouterr().err.splitlines()) == 1
    say("cat\x1b[2J\ndog")
    complain("warning: \x1b]0;x\x07")
    assert run_command(app, "program", ["--\x1b[31m"]) == 2
    captured = capsys.readouterr()
    assert captured.out == "cat\ufffd[2J\ndog\n"
    assert "\x1b" not in captured.err
    assert "\x07" not in captured.err
