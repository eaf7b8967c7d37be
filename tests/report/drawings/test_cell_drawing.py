"""The drawing is well-formed, complete and inert."""

import itertools
import xml.etree.ElementTree as ElementTree

from hypothesis import given
from hypothesis import strategies as st

from surrogate_nas.report.drawings.cell_drawing import draw_cell
from surrogate_nas.report.facts.architectures import CellFacts

SVG = "{http://www.w3.org/2000/svg}"
EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))


def texts(root: ElementTree.Element) -> list[str]:
    return [element.text or "" for element in root.iter(f"{SVG}text")]


def test_every_node_edge_and_operation_is_drawn() -> None:
    operations = ("nor_conv_3x3", "none", "skip_connect", "nor_conv_1x1", "avg_pool_3x3", "none")
    root = ElementTree.fromstring(draw_cell(CellFacts(EDGES, operations, (True, False, True, True, True, False))))
    assert texts(root) == [
        *("conv 3\u00d73", "none", "skip connect", "conv 1\u00d71", "avg pool 3\u00d73", "none"),
        *("in", "1", "2", "out"),
    ]
    edges = [element.get("class") for element in root.iter(f"{SVG}path") if element.get("class")]
    assert edges == ["edge", "edge dead", "edge", "edge", "edge", "edge dead"]
    assert float(root.get("width", "999")) <= 358  # a phone's 390 pixels without the page's margins


def test_names_cannot_carry_markup() -> None:
    drawn = draw_cell(CellFacts(((0, 1),), ("<script>alert(1)</script>",), (True,)))
    assert "<script" not in drawn
    assert texts(ElementTree.fromstring(drawn))[0] == "<script>alert(1)</script>"


@st.composite
def cells(draw: st.DrawFn) -> CellFacts:
    nodes = draw(st.integers(2, 7))
    possible = list(itertools.combinations(range(nodes), 2))
    edges = draw(st.lists(st.sampled_from(possible), min_size=1, unique=True))
    names = draw(st.lists(st.sampled_from(["none", "sep_conv_5x5"]), min_size=len(edges), max_size=len(edges)))
    return CellFacts(tuple(edges), tuple(names), (True,) * len(edges))


@given(cells())
def test_labels_of_any_small_graph_stay_inside_the_drawing_and_apart(cell: CellFacts) -> None:
    root = ElementTree.fromstring(draw_cell(cell))
    left, top, width, height = map(float, root.get("viewBox", "").split())
    boxes = []
    for rect in root.iter(f"{SVG}rect"):
        x, y = float(rect.get("x", "nan")), float(rect.get("y", "nan"))
        w, h = float(rect.get("width", "nan")), float(rect.get("height", "nan"))
        assert left <= x
        assert x + w <= left + width
        assert top <= y
        assert y + h <= top + height
        boxes.append((x, y))
    assert len(set(boxes)) == len(cell.edges)
