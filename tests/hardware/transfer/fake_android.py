"""An Android device that ``adb`` seems to reach: commands run here, on a folder in the place of its own."""

import os
import sys
from pathlib import Path

import pytest

_PROGRAM = """\
#!{python}
import os, shutil, subprocess, sys
folder = {folder!r}
serial, verb, *words = sys.argv[2:]
home = os.path.join(folder, serial)
def gone():
    print("adb: device '" + serial + "' not found", file=sys.stderr)
    sys.exit(1)
if sys.argv[1] != "-s" or not os.path.isdir(home) or os.path.exists(os.path.join(home, "gone")):
    gone()
def here(text):
    return text.replace("/data/local/tmp", home)
with open(os.path.join(folder, "calls"), "a") as file:
    file.write(serial + " " + verb + chr(10))
if verb == "get-state":
    print("device")
elif verb == "push":
    for path in words[:-1]:
        shutil.copy(path, here(words[-1]))
elif verb == "shell":
    process = subprocess.Popen(["sh", "-c", here(words[0])], cwd="/", stderr=subprocess.PIPE)
    left = os.path.join(home, "lines_left")
    for line in process.stderr:
        os.write(2, line)
        if os.path.exists(left):
            process.kill()
            process.wait()
            os.rename(left, os.path.join(home, "gone"))
            sys.exit(1)
    sys.exit(process.wait())
"""
_TOOL = """\
#!/bin/sh
echo "$0 $*" >> {calls}
for word; do model=$word; done
for word; do case $word in --graph=*) model=${{word#--graph=}};; esac; done
test -f "$model" || {{ echo "no model $model"; exit 1; }}
test -f {broken} && {{ echo "cannot load $model"; exit 2; }}
echo "Session creation time cost: 0.2 s"
echo "Average inference time cost: 9.9 ms"
echo "P50 Latency: 0.00$(wc -c < "$model" | tr -d ' ') s"
"""


class FakeAndroid:
    """The devices.

    Args:
        folder: An empty folder.
        serials: Of the devices.
        monkeypatch: Puts their ``adb`` before the system's.
    """

    def __init__(self, folder: Path, serials: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.homes = {serial: folder / serial for serial in serials}
        for home in self.homes.values():
            home.mkdir()
            self._write(home / "onnxruntime_perf_test", _TOOL.format(calls=home / "runs", broken=home / "broken"))
        (folder / "bin").mkdir()
        self._write(folder / "bin" / "adb", _PROGRAM.format(python=sys.executable, folder=str(folder)))
        monkeypatch.setenv("PATH", f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}")

    @property
    def calls(self) -> list[str]:
        """Serial and verb of every call of adb that reached a device."""
        return (self.folder / "calls").read_text().splitlines()

    def runs(self, serial: str) -> list[str]:
        """Returns the calls of the benchmark program on a device."""
        path = self.homes[serial] / "runs"
        return path.read_text().splitlines() if path.exists() else []

    def leaves_at_the_next_line(self, serial: str) -> None:
        """Ends the connection when the next command writes a line about its progress; the device is gone then."""
        (self.homes[serial] / "lines_left").touch()

    def comes_back(self, serial: str) -> None:
        """Ends its absence."""
        (self.homes[serial] / "gone").unlink()

    def _write(self, path: Path, text: str) -> None:
        path.write_text(text)
        path.chmod(0o755)
