"""Tables of names: patterns are filled in, and rows that fit no layer are refused."""

import re
from pathlib import Path

import pytest

from surrogate_nas.errors import SpaceError
from surrogate_nas.space.kinds.chain.elastic import ElasticSpace
from surrogate_nas.space.kinds.chain.space import ChainSpace
from surrogate_nas.space.load import load_space

TEXT = """
name = "tiny"
kind = "chain"
operations = ["mbconv_k3_e2", "mbconv_k5_e4"]
before = [{ layer = "conv_bn_relu_k3", width = 8 }]
stages = [{ layers = 2, least_layers = 1, width = 8 }, { layers = 1, width = 16, stride = 2 }]
network = { image_size = 8 }

[[pretrained]]
source = "mine"
norm_epsilon = 1e-3

[pretrained.parts]
"before.1" = ["stem", "norm"]
"stages" = ["b{block-1}.{stage}.{layer+10}", "b{block}"]
"stages.2" = ["second"]
"stages.1.2" = ["other{layer}"]
"classifier" = ["last"]
"""


def load(tmp_path: Path, text: str) -> ChainSpace:
    (tmp_path / "tiny.toml").write_text(text)
    space = load_space(str(tmp_path / "tiny.toml"))
    assert isinstance(space, ChainSpace)
    return space


def test_the_nearest_row_counts(tmp_path: Path) -> None:
    space = load(tmp_path, TEXT)
    [names] = space.part_names
    assert (names.source, names.norm_epsilon) == ("mine", 1e-3)
    assert names.layers == (("stem", "norm"), ("b0.1.11", "b1"), ("other2",), ("second",), ("last",))
    assert space.format(space.largest()) == "mbconv_k5_e4|mbconv_k5_e4+mbconv_k5_e4"


def test_names_leave_the_meaning_of_codes_alone(tmp_path: Path) -> None:
    without = TEXT[: TEXT.index("[[pretrained]]")]
    assert load(tmp_path, TEXT).fingerprint == load(tmp_path, without).fingerprint
    assert load(tmp_path, without).part_names == ()


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ('"stages.2" =', '"stages.3" =', "'stages.3' is no layer; choose from before.1, stages.1.1"),
        ('"stages" =', '"stages.1.1" =', None),
        ('"classifier" = ["last"]', "", "'classifier' has no names; add a row 'classifier'"),
        ('"stages" = ["b{block-1}.{stage}.{layer+10}", "b{block}"]', "", "'stages.1.1' has no names; add a row"),
        ("{stage}", "{step}", "{step} in .* stands for nothing in this layer, which has {stage}, {layer}, {block}"),
        ('["last"]', '["last{block}"]', "{block} in 'last{block}' stands for nothing in this layer, which has no"),
        ('"mbconv_k3_e2", ', '"mbconv_k7_e2", ', "must be parts of one of them, with the largest kernel and expansion"),
        ('"mbconv_k3_e2", ', '"fused_k3_e2", ', "must be parts of one of them"),
        ('"mbconv_k3_e2", ', '"mbconv_k3_e2_g2", ', "blocks of users or with groups"),
        ("norm_epsilon = 1e-3", "epsilon = 1e-3", "unknown key 'pretrained.0.epsilon'"),
    ],
)  # fmt: skip
def test_tables_that_do_not_fit(before: str, after: str, message: str | None, tmp_path: Path) -> None:
    assert before in TEXT
    text = TEXT.replace(before, after)
    if message is None:
        assert load(tmp_path, text).part_names
        return
    with pytest.raises(SpaceError, match=message.replace("{", r"\{").replace("}", r"\}")) as error:
        load(tmp_path, text)
    assert re.match(r".*tiny\.toml: (line \d+: )?(pretrained|unknown key)", str(error.value))


def test_the_largest_of_a_space_with_sizes() -> None:
    space = load_space("quick_widths")
    assert isinstance(space, ElasticSpace)
    assert space.parameters([space.largest()], space.network)[0] == space.parameter_range(space.network)[1]
    assert space.part_names == ()
