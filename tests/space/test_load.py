"""Reading a definition: what a fingerprint stands for, and every way to get one wrong."""

import re
from pathlib import Path

import numpy as np
import pytest

from surrogate_nas._support.definitions import find_definition
from surrogate_nas.errors import ProgramError, SettingsError, SpaceError
from surrogate_nas.nets.standalone import build_network
from surrogate_nas.rivals.rival import Interface
from surrogate_nas.rivals.rival_network import RivalNetwork, count_rival
from surrogate_nas.space.load import load_space, load_stored_space, program_of
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.operations.registry import forget_all
from tests.space.programs import CELL, CHAIN, NODES, PROGRAM, write_space

PUBLISHED = find_definition("spaces", "nasbench201").read_text(encoding="utf-8")
DIGITS = "9" * 5000  # more than Python reads as one number


def written(folder: Path, content: str | bytes) -> str:
    path = folder / "space.toml"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(path)


def changed(before: str, after: str) -> str:
    assert PUBLISHED.count(before) == 1
    return PUBLISHED.replace(before, after)


def test_the_space_that_comes_with_the_project() -> None:
    space = load_space("nasbench201")
    assert space.name == "nasbench201"
    assert space.network == NetworkSpec(16, 5, 32, input_channels=3, classes=10, stages=3)
    assert [decision.name for decision in space.decisions] == ["1<-0", "2<-0", "2<-1", "3<-0", "3<-1", "3<-2"]
    operations = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
    assert {decision.choices for decision in space.decisions} == {operations}
    assert re.fullmatch("[0-9a-f]{16}", space.fingerprint)


# Fingerprint


@pytest.mark.parametrize(
    "same",
    [
        changed("channels = 16", "channels = 8"),
        changed("cells = 5", "cells = 1"),
        changed("image_size = 32", "image_size = 64"),
        changed('name = "nasbench201"', 'name = "renamed"'),
        changed('source = "arXiv 2001.00326"\n', ""),
        "# a remark\r\n" + PUBLISHED.replace("\n", "\r\n"),
        b"\xef\xbb\xbf" + PUBLISHED.encode(),
        PUBLISHED,
    ],
)
def test_sizes_and_remarks_do_not_change_what_a_code_means(tmp_path: Path, same: str | bytes) -> None:
    assert load_space(written(tmp_path, same)).fingerprint == load_space("nasbench201").fingerprint


@pytest.mark.parametrize(
    "other",
    [
        changed('"none", "skip_connect", ', '"skip_connect", "none", '),
        changed(', "avg_pool_3x3"]', "]"),
        changed('"2<-0", "2<-1"', '"2<-1", "2<-0"'),
        changed('"3<-0", ', ""),
        changed('"2<-1", ', ""),
    ],
)
def test_operations_and_edges_change_it(tmp_path: Path, other: str) -> None:
    assert load_space(written(tmp_path, other)).fingerprint != load_space("nasbench201").fingerprint


# Malformed definitions


@pytest.mark.parametrize(
    ("definition", "message"),
    [
        ("", "name is missing"),
        (changed('kind = "cell"\n', ""), "kind is missing"),
        (changed("channels = 16 #", "#"), "network.channels is missing"),
        (
            changed("[cell]", "[cells]"),
            "unknown key 'cells'; the keys there are name, source, kind, program, known, operations, cell, network",
        ),
        (changed("edges =", "edgs ="), "unknown key 'cell.edgs'; the keys there are nodes, edges"),
        (
            changed("cells = 5", "cells = 5\ndepth = 1"),
            "unknown key 'network.depth'; the keys there are channels, cells",
        ),
        (changed("[cell]", "[[cell]]"), "cell: input should be a table (got [{"),
        (changed('name = "nasbench201"', 'name = "A b"'), "(got 'A b')"),
        (changed("name =", "name.x ="), "name: input should be a valid string (got {'x': 'nasbench201'})"),
        (changed('kind = "cell"', 'kind = "polygon"'), "kind: must be one of cell, nodes, chain (got 'polygon')"),
        (changed("channels = 16", "channels = true"), "network.channels: input should be a valid integer (got True)"),
        (changed("channels = 16", 'channels = "16"'), "network.channels: input should be a valid integer (got '16')"),
        (changed("channels = 16", "channels = 1.5"), "network.channels: input should be a valid integer (got 1.5)"),
        (
            changed("channels = 16", "channels = 0"),
            "network.channels: input should be greater than or equal to 1 (got 0)",
        ),
        (
            changed("channels = 16", f"channels = {'9' * 30}"),
            "network.channels: input should be less than or equal to 1024",
        ),
        (changed("cells = 5", "cells = nan"), "network.cells: input should be a valid integer (got nan)"),
        (changed("stages = 3", "stages = 9"), "network.stages: input should be less than or equal to 8 (got 9)"),
        (changed("image_size = 32", "image_size = 30"), "network: image_size must be a multiple of 4"),
        (changed("image_size = 32", "image_size = 1979-05-27"), "network.image_size: input should be a valid integer"),
        (changed('["none", ', '"none" #'), "operations: input should be a valid list (got 'none')"),
        (changed('"none", ', ""), "operations: one must cut its edge, such as 'none'"),
        (
            changed('"none"', '"nune"'),
            "operations: unknown operation 'nune'; choose from none, skip_connect, nor_conv_1x1",
        ),
        (changed('"none"', '"skip_connect"'), "operations: 'skip_connect' appears twice"),
        (changed('"none"', "0"), "operations.0: input should be a valid string (got 0)"),
        (changed("nodes = 4", "nodes = 3"), "cell.edges.3: nodes are 0 to 2 (got '3<-0')"),
        (changed("nodes = 4", "nodes = 5"), "cell.edges: no edge leads to the output, node 4; add one such as '4<-3'"),
        (changed('"1<-0", ', ""), "cell.edges: no edge leads to node 1; add one such as '1<-0'"),
        (
            changed('"1<-0"', '"0<-1"'),
            "cell.edges.0: an edge leads to a later node, so that no cycle arises (got '0<-1')",
        ),
        (changed('"1<-0"', '"1<-1"'), "cell.edges.0: an edge leads to a later node"),
        (changed('"1<-0"', '"1->0"'), "cell.edges.0: an edge is written 'end<-start', as '2<-1' (got '1->0')"),
        (changed('"1<-0"', '"\\u0661<-0"'), "cell.edges.0: an edge is written 'end<-start'"),
        (changed('"3<-2"', f'"{DIGITS}<-2"'), "cell.edges.5: an edge is written 'end<-start'"),
        (changed('"2<-1"', '"2<-0"'), "cell.edges.2: '2<-0' appears twice"),
        (
            changed('"1<-0", "2<-0"', '"2<-0", "1<-0"'),
            "cell.edges.1: edges must be sorted by their end ('1<-0' comes too",
        ),
        (
            changed("nodes = 4", "nodes = 5").replace('"3<-2"]', '"3<-2", "4<-0", "4<-1"]'),
            "cell.edges: no edge leaves node 3; add one such as '4<-3'",
        ),
        (
            changed("nodes = 4", "nodes = 5").replace('"3<-2"]', '"3<-2", "4<-0", "4<-1", "4<-2", "4<-3"]'),
            "cell.edges: 10 edges with 5 operations are 9,765,625 architectures, but a cell may have 2,000,000",
        ),
        (re.sub("edges = .*", "edges = []", PUBLISHED), "cell.edges: list should have at least 1 item"),
    ],
)
def test_a_malformed_definition_is_named_by_file_and_key(tmp_path: Path, definition: str, message: str) -> None:
    path = written(tmp_path, definition)
    with pytest.raises(SpaceError, match=re.escape(message)) as caught:
        load_space(path)
    assert str(caught.value).startswith(f"{path}: ")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("name = ", "is not valid TOML: Invalid value (at end of document)"),
        (changed("channels = 16", "channels = 16\nchannels = 17"), "is not valid TOML: Cannot overwrite a value"),
        (changed("channels = 16", f"channels = {DIGITS}"), "is not valid TOML: Exceeds the limit"),
        ("x = " + "[" * 20_000, "is not valid TOML: maximum recursion depth"),
        (PUBLISHED.encode() + b"# caf\xe9", "is not UTF-8 text"),
        (PUBLISHED.encode("utf-16"), "is not UTF-8 text"),
        (b"\0\1\2", "is not valid TOML"),
    ],
)
def test_what_is_not_toml_is_named_by_file(tmp_path: Path, content: str | bytes, message: str) -> None:
    path = written(tmp_path, content)
    with pytest.raises(SettingsError, match=re.escape(f"{path} {message}")):
        load_space(path)


KEYS = re.findall(r"(?m)^(\w+) = ", PUBLISHED)
VALUES = ["0", "-1", "1", "9" * 30, "1.5", "nan", "-inf", "true", "''", "'x'", "[]", "[[]]", "[0]", "['']", "['none']"]
VALUES += ["{}", "{x = 1}", "1979-05-27", "07:32:00", "['none', 'skip_connect']", "['1<-0']"]


def refusal(path: str) -> str | None:
    try:
        load_space(path)
    except SpaceError as error:
        return str(error)
    return None


@pytest.mark.parametrize("key", KEYS)
def test_any_value_is_taken_or_refused_by_file(tmp_path: Path, key: str) -> None:
    for value in VALUES:
        path = written(tmp_path, re.sub(rf"(?m)^{key} = .*$", f"{key} = {value}", PUBLISHED))
        message = refusal(path)
        assert message is None or message.startswith(f"{path}: ")


def test_a_definition_that_breaks_off_is_refused(tmp_path: Path) -> None:
    for end in range(0, PUBLISHED.index("image_size = 32") + len("image_size = 3"), 3):
        path = written(tmp_path, PUBLISHED[:end])
        with pytest.raises(SettingsError, match=re.escape(path)):
            load_space(path)


# Programs


@pytest.mark.usefixtures("own_cache")
@pytest.mark.parametrize(("definition", "size"), [(CHAIN, 4), (CELL, 27), (NODES, 48**2)])
def test_every_kind_takes_operations_of_its_program(tmp_path: Path, definition: str, size: int) -> None:
    path = write_space(tmp_path, definition)
    space = load_space(path)
    assert space.size == size
    assert space.program is not None
    assert (space.program.path, space.program.source) == (str(tmp_path / "mine.py"), PROGRAM)
    assert program_of(path) == space.program
    assert "conv_gelu_k3" in space.graph_types.names
    for code in space.sample(5, np.random.default_rng(0)):
        network = build_network(space, space.effective([code])[0], space.network)
        counted = sum(weight.numel() for weight in network.parameters())
        assert space.parameters(space.effective([code]), space.network).tolist() == [counted]


@pytest.mark.usefixtures("own_cache")
def test_a_programs_content_is_part_of_what_a_code_means(tmp_path: Path) -> None:
    one, same = (write_space(tmp_path / name) for name in ("one", "same"))
    other = write_space(tmp_path / "other", program=f"{PROGRAM}# a remark\n")
    before = load_space(one).fingerprint
    assert load_space(same).fingerprint == before
    with pytest.raises(ProgramError, match="this process already has another operation 'conv_gelu_k3'"):
        load_space(other)
    forget_all()
    assert load_space(other).fingerprint != before


@pytest.mark.usefixtures("own_cache")
@pytest.mark.parametrize(
    ("definition", "program", "message"),
    [
        (CHAIN, PROGRAM.replace("nn.Conv2d(", "nn.Conv3d("), "line 4: operations: operation 'conv_gelu_k3' of"),
        (CHAIN, PROGRAM.replace("nn.Conv2d(", "nn.Convd("), ", line 8 cannot be built from 3x8x8 to 4x4x4: Attribute"),
        (CHAIN, "x = y\n", "line 3: program: "),
        (CHAIN.replace("mine.py", "other.py"), PROGRAM, "line 3: program: there is no file"),
        (CHAIN.replace("mine.py", "mine"), PROGRAM, "line 3: program: string should match pattern"),
        (CHAIN.replace("conv_gelu_k3", "gelu"), PROGRAM, "line 4: operations.1: unknown block 'gelu'"),
        (CHAIN.replace("conv_gelu_k3", "gelu"), PROGRAM, "; the space's program has conv_gelu_k3"),
        (CELL.replace("conv_gelu_k3", "gelu"), PROGRAM, "line 4: operations: unknown operation 'gelu'; choose from"),
        (NODES.replace("conv_gelu_k3", "gelu"), PROGRAM, "; the space's program has conv_gelu_k3"),
        (CHAIN.replace('program = "mine.py"', ""), PROGRAM, "one of your own needs the key 'program'"),
    ],
)
def test_what_is_wrong_with_a_program_is_told_by_file_line_and_key(
    tmp_path: Path, definition: str, program: str, message: str
) -> None:
    other = (text.replace("gelu_k3", "gelu_k5") for text in (CELL, PROGRAM))
    load_space(write_space(tmp_path / "other", *other))
    path = write_space(tmp_path, definition, program)
    with pytest.raises(SpaceError, match=re.escape(message)) as caught:
        load_space(path)
    assert str(caught.value).startswith(f"{path}: line ")


WROTE = "from pathlib import Path\nPath(__file__).with_name('ran').touch()\n"


@pytest.mark.usefixtures("own_cache")
def test_what_the_user_did_not_name_is_not_run_until_it_was(tmp_path: Path) -> None:
    path = write_space(tmp_path, program=WROTE + PROGRAM)
    (tmp_path / "space.toml").write_text(CHAIN, encoding="utf-8")
    (tmp_path / "space.py").write_text(WROTE + PROGRAM, encoding="utf-8")
    program_of(path)
    never = "is a program that was never run on this machine for a space of yours"
    with pytest.raises(ProgramError, match=never):
        load_space(path, named_by_user=False)
    with pytest.raises(ProgramError, match=f"{never}; ask"):
        load_stored_space(tmp_path, "ask")
    assert not (tmp_path / "ran").exists()
    named = load_space(path)
    assert (tmp_path / "ran").exists()
    forget_all()  # another process
    assert load_stored_space(tmp_path, "ask").fingerprint == named.fingerprint
    assert load_space(path, named_by_user=False).fingerprint == named.fingerprint


@pytest.mark.usefixtures("own_cache")
def test_a_stored_program_is_run_where_that_is_wanted(tmp_path: Path) -> None:
    write_space(tmp_path)
    (tmp_path / "space.toml").write_text(CHAIN, encoding="utf-8")
    with pytest.raises(ProgramError, match=re.escape(f"there is no file {tmp_path / 'space.py'}")):
        load_stored_space(tmp_path, None)
    (tmp_path / "space.py").write_text(PROGRAM, encoding="utf-8")
    assert load_stored_space(tmp_path, None).size == 4


# Architectures with a name


def test_architectures_with_a_name_are_codes_without_dead_operations(tmp_path: Path) -> None:
    known = '[[known]]\nname = "all convolutions"\narchitecture = "333333"\n\n[[known]]\nname = "one"\n'
    space = load_space(written(tmp_path, f'{PUBLISHED}\n{known}architecture = "300400"\n'))
    assert space.fingerprint == load_space("nasbench201").fingerprint
    assert {name: space.digits(code[None])[0] for name, code in space.known.items()} == {
        "all convolutions": "333333",
        "one": "000400",
    }


@pytest.mark.parametrize(
    ("known", "message"),
    [
        ('name = "a"\narchitecture = "12"', "known.0.architecture: an architecture of nasbench201 is 6 digits"),
        ('name = "a"\narchitecture = "000000"', "known.0.architecture: '000000' does not lead from input to output"),
        ('name = "a"\narchitecture = 303101', "known.0.architecture: input should be a valid string (got 303101)"),
        ('name = ""\narchitecture = "303101"', "known.0.name: string should have at least 1 character"),
        (
            'name = "a"\narchitecture = "303101"\n[[known]]\nname = "a"\narchitecture = "333333"',
            "known.1.name: 'a' appears twice",
        ),
    ],
)
def test_a_wrong_architecture_with_a_name_is_refused(tmp_path: Path, known: str, message: str) -> None:
    with pytest.raises(SpaceError, match=re.escape(message)):
        load_space(written(tmp_path, f"{PUBLISHED}\n[[known]]\n{known}\n"))


def test_resnets_are_architectures_of_the_space_that_names_them() -> None:
    space = load_space("images32")
    known = {name: code for name, code in space.known.items() if name.startswith(("ResNet-20 at", "ResNet-32 at"))}
    assert len(known) == 8
    images = Interface(3, 32, 10)
    for name, code in known.items():
        resnet, _, width = name.partition(" at width ")
        counts = count_rival(RivalNetwork(resnet.lower().replace("-", ""), float(width), images))
        assert space.parameters(code[None], space.network)[0] == counts.params, name
        assert space.flops(code[None], space.network)[0] == counts.flops, name
