"""Every block is drawn once, inside the picture, and arrows join chains only."""

import xml.etree.ElementTree as ElementTree

import pytest

from surrogate_nas.report.drawings.block_drawing import draw_blocks
from surrogate_nas.report.facts.architectures import BlockFacts

SVG = "{http://www.w3.org/2000/svg}"
BLOCKS = (
    BlockFacts("1.1", "mbconv_k3_e3", True),
    BlockFacts("1.2", "identity", False),
    BlockFacts("2.1", "mbconv_k5_e6", True),
    BlockFacts("size", "<32>", True),
)


@pytest.mark.parametrize("chained", [False, True])
def test_blocks_are_boxes_in_order(chained: bool) -> None:
    root = ElementTree.fromstring(draw_blocks(BLOCKS, chained))
    boxes = list(root.iter(f"{SVG}rect"))
    tops = [float(box.attrib["y"]) for box in boxes]
    assert len(boxes) == 4
    assert tops == sorted(tops)
    assert tops[-1] + float(boxes[-1].attrib["height"]) <= float(root.attrib["height"])
    assert len([path for path in root.iter(f"{SVG}path") if path.attrib.get("class") == "edge"]) == (
        3 if chained else 0
    )
    assert [group.attrib["class"] for group in root.iter(f"{SVG}g")] == ["label", "label dead", "label", "label"]
    bands = [text.text for text in root.iter(f"{SVG}text") if text.attrib.get("class") == "band"]
    assert bands == ["1", "2", "size"]
    assert "<32>" in "".join(root.itertext())
