"""A machine that ``ssh`` seems to reach: commands run here, in a home folder of its own."""

import os
import sys
from pathlib import Path

import pytest

_PROGRAM = """\
#!{python}
import os, subprocess, sys
host, command = sys.argv[sys.argv.index("--") + 1 :]
home = {home!r}
own = os.path.join(home, "..", "homes", host, "home")
home = own if os.path.isdir(own) else home
def gone():
    print("Connection to device closed by remote host.", file=sys.stderr)
    sys.exit(255)
left = os.path.join(home, "..", "lines_left")
with open(os.path.join(home, "..", "commands"), "a") as file:
    file.write(host + " " + command + chr(10))
if os.path.exists(os.path.join(home, "..", "gone")):
    gone()
process = subprocess.Popen(["sh", "-c", command], cwd=home, env=dict(os.environ, HOME=home), stderr=subprocess.PIPE)
for line in process.stderr:
    os.write(2, line)
    if os.path.exists(left):
        process.kill()
        process.wait()
        gone()
sys.exit(process.wait())
"""


class FakeDevice:
    """The machine.

    Args:
        folder: An empty folder.
        monkeypatch: Puts its ``ssh`` before the system's.
    """

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.home = folder, folder / "home"
        self.home.mkdir()
        (folder / "bin").mkdir()
        program = folder / "bin" / "ssh"
        program.write_text(_PROGRAM.format(python=sys.executable, home=str(self.home)))
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}")

    @property
    def commands(self) -> list[str]:
        """Commands that ssh was given so far."""
        return (self.folder / "commands").read_text().splitlines()

    def leaves_at_the_next_line(self, leaves: bool) -> None:
        """Ends the connection when the next command writes a line about its progress."""
        self._mark("lines_left", leaves)

    def is_gone(self, gone: bool) -> None:
        """Refuses every connection."""
        self._mark("gone", gone)

    def is_many(self, *hosts: str) -> dict[str, Path]:
        """Gives each host a home folder of its own, in which files of these names concern it alone."""
        homes = {host: self.folder / "homes" / host / "home" for host in hosts}
        for home in homes.values():
            home.mkdir(parents=True)
        return homes

    def _mark(self, name: str, there: bool) -> None:
        path = self.folder / name
        path.touch() if there else path.unlink()
