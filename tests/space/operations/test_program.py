"""Programs of spaces: read, run, trusted, and handed to other processes."""

import pickle
import re
import subprocess
import sys
from pathlib import Path

import pytest

from surrogate_nas.errors import ProgramError
from surrogate_nas.space.load import load_space
from surrogate_nas.space.operations.program import Program
from surrogate_nas.space.operations.registry import forget_all, own_names
from tests.space.programs import CELL, CHAIN, NODES, PROGRAM, write_space

pytestmark = pytest.mark.usefixtures("own_cache")


def test_it_is_known_by_its_content(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("a.py", "b.py", "c.py")]
    for path, content in zip(paths, (PROGRAM, PROGRAM, f"{PROGRAM}# more\n"), strict=True):
        path.write_text(content, encoding="utf-8")
    one, same, other = map(Program.read, paths)
    assert one.digest == same.digest != other.digest
    assert re.fullmatch("[0-9a-f]{64}", one.digest)


def test_running_registers_and_is_done_once(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(f"print('ran')\n{PROGRAM}", encoding="utf-8")
    script = (
        "import sys; from pathlib import Path; from surrogate_nas.space.operations.program import Program\n"
        "for _ in range(2): Program.read(Path(sys.argv[1])).run()"
    )
    done = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "ran\n")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("x = 1\ny = undefined\n", ", line 2: NameError: name 'undefined' is not defined; correct the program"),
        ("x = 1\n\ndef f(:\n", ", line 3: SyntaxError: invalid syntax"),
        ("import nowhere_to_be_found\n", ", line 1: ModuleNotFoundError: No module named 'nowhere_to_be_found'"),
        ("raise SystemExit(3)\n", ", line 1: SystemExit: 3"),
        ("x = '\0'\n", "SyntaxError: source code string cannot contain null bytes"),
        ("x = 1\n", ": it registers no operation; write @operation(...) above what builds one"),
        (PROGRAM + PROGRAM, ", line 15: the operation 'conv_gelu_k3' is registered twice"),
    ],
)
def test_what_it_raises_is_told_by_its_line(tmp_path: Path, source: str, message: str) -> None:
    program = Program(str(tmp_path / "mine.py"), source)
    with pytest.raises(ProgramError, match=re.escape(f"{tmp_path / 'mine.py'}")) as caught:
        program.run()
    assert message in str(caught.value)
    assert own_names() == ()


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(ProgramError, match=re.escape(f"there is no file {tmp_path / 'x.py'}; write it")):
        Program.read(tmp_path / "x.py")
    (tmp_path / "x.py").write_bytes(b"caf\xe9")
    with pytest.raises(ProgramError, match=re.escape("x.py cannot be read: 'utf-8' codec")):
        Program.read(tmp_path / "x.py")


def test_trust_is_in_a_content_and_lasts(tmp_path: Path) -> None:
    program = Program(str(tmp_path / "mine.py"), PROGRAM)
    assert not program.is_trusted
    program.trust()
    assert Program("elsewhere.py", PROGRAM).is_trusted
    assert not Program(str(tmp_path / "mine.py"), f"{PROGRAM}\n").is_trusted


def test_without_a_cache_trust_is_asked_for_again(tmp_path: Path, own_cache: Path) -> None:
    own_cache.write_text("a file in the folder's place", encoding="utf-8")
    program = Program(str(tmp_path / "mine.py"), PROGRAM)
    program.trust()
    assert not program.is_trusted
    program.run()
    assert program.is_trusted


@pytest.mark.parametrize("definition", [CHAIN, CELL, NODES])
def test_a_space_brings_its_operations_to_another_process(tmp_path: Path, definition: str) -> None:
    space = load_space(write_space(tmp_path, definition))
    sent = pickle.dumps(space)
    (tmp_path / "mine.py").write_text("raise SystemExit", encoding="utf-8")  # what it is now is nobody's business
    forget_all()
    arrived = pickle.loads(sent)
    assert own_names() == ("conv_gelu_k3",)
    assert arrived.fingerprint == space.fingerprint
    codes = space.all_codes()[:50]
    assert arrived.parameters(codes, space.network).tolist() == space.parameters(codes, space.network).tolist()
