"""Definitions of chains: what changes the meaning of a code, and every way to get one wrong."""

import re
from pathlib import Path

import numpy as np
import pytest

from surrogate_nas._support.definitions import find_definition
from surrogate_nas.errors import SpaceError
from surrogate_nas.space.load import load_space

QUICK = find_definition("spaces", "quick").read_text(encoding="utf-8")


def written(folder: Path, content: str) -> str:
    path = folder / "space.toml"
    path.write_text(content, encoding="utf-8")
    return str(path)


def changed(before: str, after: str) -> str:
    assert before in QUICK
    return QUICK.replace(before, after, 1)


def test_the_constraint_takes_away_what_it_names() -> None:
    choices = [decision.choices for decision in load_space("quick").decisions]
    assert choices[2] == ("mbconv_k3_e1", "mbconv_k3_e2_se")
    assert choices[0] == choices[1] == choices[3] == ("identity", *choices[2])
    assert [decision.name for decision in load_space("quick").decisions] == ["1.1", "1.2", "2.1", "2.2"]


ELASTIC = find_definition("spaces", "quick_elastic").read_text(encoding="utf-8")


def test_layers_that_may_be_left_out_may_be_identities() -> None:
    choices = [len(decision.choices) for decision in load_space("quick_elastic").decisions]
    assert choices == [2, 2, 3, 3, 2, 3, 3]


def test_depths_and_resolutions_change_what_a_code_means(tmp_path: Path) -> None:
    written_out = ELASTIC.replace("least_layers = 1\n", "").replace(
        '"mbconv_k3_e2_se"]', '"mbconv_k3_e2_se", "identity"]'
    )
    constrained = written_out + '[[constraints]]\nwithout = ["identity"]\nlayers = ["first"]\n'
    codes = (ELASTIC, constrained, ELASTIC.replace("[6, 8]", "[5, 8]"), ELASTIC.replace("[6, 8]", "[4, 6, 8]"))
    assert len({load_space(written(tmp_path, one)).fingerprint for one in codes}) == 4


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("least_layers = 1", "least_layers = 4", "stages.0.least_layers: must be at most layers, 3 (got 4)"),
        ("least_layers = 1", "least_layers = -1", "stages.0.least_layers: input should be greater than or equal to 0"),
        (
            "least_layers = 1\nwidth = 8",
            "least_layers = 0\nwidth = 8",
            "stages.1: 'identity' cannot be layer 2.1, which takes 4 channels of 6 pixels and gives 8 of 3",
        ),
        (
            '"mbconv_k3_e1"',
            '"skip"',
            "stages.0.least_layers: says which layers may do nothing, so 'skip' must not be among the operations",
        ),
        (
            "[elastic]",
            '[[constraints]]\nwithout = ["mbconv_k3_e1"]\nlayers = ["1.3"]\n[elastic]',
            "constraints: layers of stage 1 that may be left out must have the same choices, 'identity' among them",
        ),
        (
            "[elastic]",
            '[[constraints]]\nwithout = ["identity"]\nlayers = ["2.2", "2.3"]\n[elastic]',
            "constraints: layers of stage 2 that may be left out must have the same choices, 'identity' among them",
        ),
        ("[6, 8]", "[6, 9]", "elastic.resolutions: must rise up to network.image_size, 8 (got 6, 9)"),
        ("[6, 8]", "[8, 6]", "elastic.resolutions: must rise up to network.image_size, 8 (got 8, 6)"),
        ("[6, 8]", "[8]", "elastic.resolutions: list should have at least 2 items"),
        ("[6, 8]", "[0, 8]", "elastic.resolutions.0: input should be greater than or equal to 1 (got 0)"),
        ("resolutions = ", "sizes = ", "unknown key 'elastic.sizes'; the keys there are resolutions"),
    ],
)
def test_mistakes_in_elastic_dimensions_are_told(tmp_path: Path, before: str, after: str, message: str) -> None:
    assert before in ELASTIC
    path = written(tmp_path, ELASTIC.replace(before, after, 1))
    with pytest.raises(SpaceError, match=re.escape(message)) as caught:
        load_space(path)
    assert str(caught.value).startswith(f"{path}: ")


def test_a_stage_that_keeps_the_shape_may_be_left_out(tmp_path: Path) -> None:
    space = load_space(written(tmp_path, ELASTIC.replace("least_layers = 1", "least_layers = 0", 1)))
    choices = [decision.choices[-1] for decision in space.decisions if decision.name.startswith("1.")]
    assert choices == ["identity"] * 3
    per_depth = 2 * (1 + 2 + 4) * 2  # of the second stage, at two resolutions
    assert len(np.unique(space.effective(space.codes_at(np.arange(space.size))), axis=0)) == (1 + 2 + 4 + 8) * per_depth


def test_operations_beside_the_identity_fit_the_digits(tmp_path: Path) -> None:
    names = ", ".join(f'"mbconv_k3_e{expansion}"' for expansion in range(1, 37))
    content = re.sub(r"operations = \[.*\]", f"operations = [{names}]", ELASTIC)
    with pytest.raises(
        SpaceError, match=re.escape("stages.0.operations: must be 35 at most with least_layers (got 36)")
    ):
        load_space(written(tmp_path, content))


@pytest.mark.parametrize("same", [changed("width = 8", "width = 12"), changed('"quick"', '"other"'), "# x\n" + QUICK])
def test_widths_and_remarks_do_not_change_what_a_code_means(tmp_path: Path, same: str) -> None:
    assert load_space(written(tmp_path, same)).fingerprint == load_space("quick").fingerprint


@pytest.mark.parametrize(
    "other", [changed("mbconv_k3_e1", "mbconv_k5_e1"), changed("layers = 2", "layers = 3"), changed("stride = 2\n", "")]
)
def test_blocks_lengths_and_strides_change_it(tmp_path: Path, other: str) -> None:
    assert load_space(written(tmp_path, other)).fingerprint != load_space("quick").fingerprint


@pytest.mark.parametrize(
    ("definition", "message"),
    [
        (changed("mbconv_k3_e1", "mbconv_e1"), "operations.1: the block 'mbconv_e1' is not written like"),
        (changed("mbconv_k3_e1", "identity"), "operations.1: 'identity' appears twice"),
        (changed("layers = 2", "layers = 0"), "stages.0.layers: input should be greater than or equal to 1 (got 0)"),
        (changed("layers = 2", "layer = 2"), "unknown key 'stages.0.layer'; the keys there are layers, width, stride"),
        (changed("width = 8", 'width = "8"'), "stages.1.width: input should be a valid list (got '8')"),
        (changed("stride = 2", "stride = 3"), "stages.1.stride: input should be 1 or 2 (got 3)"),
        (
            changed("conv_bn_relu_k3", "conv3"),
            "before.0.layer: unknown layer 'conv3'; use a block, such as conv_bn_relu_k3",
        ),
        (changed('["2.1"]', '["2.3"]'), "constraints.0.layers: must be 'first' or of 1.1, 1.2, 2.1, 2.2 (got '2.3')"),
        (changed('without = ["identity"]', 'without = ["skip"]'), "constraints.0.without: none of these layers can be"),
        (
            changed('["identity"]', '["identity", "mbconv_k3_e1", "mbconv_k3_e2_se"]'),
            "constraints: nothing is left for layer 2.1",
        ),
        (changed('["2.1"]', '["2.2"]'), "stages.1: 'identity' cannot be layer 2.1, which takes 4 channels of 8 pixels"),
        (
            changed('"mbconv_k3_e1", "mbconv_k3_e2_se"', '"mbconv_k3_e1_g3"'),
            "stages.0: 'mbconv_k3_e1_g3' needs widths that are multiples of 3 in layer 1.1 (got 4 and 4)",
        ),
        (
            re.sub(r"(?s)\[\[constraints\]\].*?\n\n", "", changed('"identity", "mbconv_k3_e1", ', "")),
            "operations: every layer has one choice only, so there is nothing to search",
        ),
        (
            QUICK.replace("layers = 2\n", "layers = 64\n") + "\n[[stages]]\nlayers = 1\nwidth = 1\n",
            "128 layers at most",
        ),
        (QUICK.replace("[network]", "[net]"), "unknown key 'net'; the keys there are name, source, kind, "),
    ],
)
def test_a_malformed_definition_is_named_by_file_and_key(tmp_path: Path, definition: str, message: str) -> None:
    path = written(tmp_path, definition)
    with pytest.raises(SpaceError, match=re.escape(message)) as caught:
        load_space(path)
    assert str(caught.value).startswith(f"{path}: ")


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ('before = [{layer = "stem", width = "first"}]', "before.0.layer: 'stem' cannot stand here; use a block"),
        ('before = [{layer = "pooled_linear_hs", width = "first"}]', "or max_pool_k3"),
        ('before = [{layer = "identity", width = "first"}]', "'identity' must keep the shape"),
        ('before = [{layer = "max_pool_k3", width = "first"}]', "max_pool_k3 must keep the number of channels"),
        ('before = [{layer = "mbconv_k3_e1_g2", width = "first"}]', "needs widths that are multiples of 2"),
        ('after = [{layer = "head", width = 8}]', "after.0.layer: 'head' cannot stand here"),
    ],
)
def test_layers_before_and_after_the_stages_must_fit(tmp_path: Path, layers: str, message: str) -> None:
    path = tmp_path / "space.toml"
    path.write_text(
        f'name = "x"\nkind = "chain"\noperations = ["mbconv_k3_e3", "mbconv_k5_e3"]\n{layers}\n'
        "[[stages]]\nlayers = 2\nwidth = 8\n[network]\nimage_size = 16\n"
    )
    with pytest.raises(SpaceError, match=re.escape(message)):
        load_space(str(path))
