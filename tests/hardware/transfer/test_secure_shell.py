"""Commands over ssh, with a program in its place."""

from pathlib import Path

import pytest

from surrogate_nas.errors import SettingsError
from surrogate_nas.hardware.transfer.secure_shell import SecureShell
from tests.hardware.transfer.fake_device import FakeDevice

pytestmark = pytest.mark.posix


def test_output_lines_and_exit_codes_come_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    device, lines = FakeDevice(tmp_path, monkeypatch), list[str]()
    outcome = SecureShell("pi@device").run("echo out; echo one >&2; echo two >&2; exit 3", lines.append)
    assert (outcome.code, outcome.output, outcome.last_line, outcome.lost) == (3, b"out\n", "two", False)
    assert lines == ["one", "two"]
    assert device.commands[0].startswith("pi@device echo out;")
    device.is_gone(True)
    assert SecureShell("pi@device").run("true").lost


def test_a_folder_exists_when_all_files_arrived(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    device = FakeDevice(tmp_path, monkeypatch)
    for name in ("a", "b"):
        (tmp_path / name).write_text(name * 3)
    (device.home / "there.new").mkdir()
    (device.home / "there.new" / "half").touch()
    assert SecureShell("device").send([tmp_path / "a", tmp_path / "b"], "there").code == 0
    assert {path.name: path.read_text() for path in (device.home / "there").iterdir()} == {"a": "aaa", "b": "bbb"}
    assert SecureShell("device").send([tmp_path / "a"], "a $(touch PWNED) b").code == 0
    assert (device.home / "a $(touch PWNED) b" / "a").exists()
    assert not (device.home / "PWNED").exists()


@pytest.mark.parametrize("host", ["", "-oProxyCommand=x", "two words"])
def test_hosts_that_ssh_would_take_for_options_are_refused(host: str) -> None:
    with pytest.raises(SettingsError, match=r"--ssh takes a machine such as pi@192\.168\.0\.7"):
        SecureShell(host)


def test_a_system_without_ssh_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SettingsError, match="ssh is not installed here"):
        SecureShell("device")
