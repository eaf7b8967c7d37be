"""Cells stand where the layouts of the papers have them."""

from surrogate_nas.space.kinds.nodes.layout import cell_at, node_layout, node_width, projections
from surrogate_nas.space.kinds.nodes.node_cell import NodeCell
from surrogate_nas.space.network import NODES, NetworkSpec, fixed_total

DARTS = [
    NodeCell("normal", 2, (2, 2, 2, 2), None, on_edges=True),
    NodeCell("reduction", 2, (2, 2, 2, 2), None, on_edges=True, reduces=True),
]
ONE = [NodeCell("nodes", 1, (1, 2, 2, 2), 2, on_edges=False)]


def test_eight_and_twenty_cells_reduce_after_a_third_and_two_thirds() -> None:
    """DARTS, arXiv 1806.09055, section 3.1: reduction cells are at 1/3 and 2/3 of the total depth."""
    for per_stage, total in [(2, 8), (6, 20)]:
        places = [layer for layer in node_layout(DARTS, NetworkSpec(16, per_stage, 32), 3) if layer.kind == NODES]
        assert len(places) == total
        assert [index for index, place in enumerate(places) if cell_at(DARTS, place)] == [total // 3, 2 * total // 3]


def test_what_a_cell_takes_in_are_the_outputs_of_the_two_before_it() -> None:
    layers = node_layout(DARTS, NetworkSpec(4, 1, 16), 3)
    places = layers[1:-1]
    assert [(layer.kind, layer.out_channels, layer.out_size) for layer in layers] == [
        ("stem", 12, 16),
        ("nodes", 16, 16),
        ("nodes", 32, 8),
        ("nodes", 32, 8),
        ("nodes", 64, 4),
        ("nodes", 64, 4),
        ("classifier", 10, 1),
    ]
    assert [place.outside for place in places] == [
        ((12, 16), (12, 16)),
        ((12, 16), (16, 16)),
        ((16, 16), (32, 8)),
        ((32, 8), (32, 8)),
        ((32, 8), (64, 4)),
    ]
    assert [(node_width(DARTS[0], place), place.in_size, place.out_size) for place in places] == [
        (4, 16, 16),
        (8, 16, 8),
        (8, 8, 8),
        (16, 8, 4),
        (16, 4, 4),
    ]


def test_without_a_reducing_cell_pooling_halves_the_size() -> None:
    """NAS-Bench-101, arXiv 1902.09635: three stacks of three cells with a downsampling module between them."""
    layers = node_layout(ONE, NetworkSpec(64, 3, 32), 2)
    places = [layer for layer in layers if layer.kind == NODES]
    assert [layer.kind for layer in layers] == ["stem", *[NODES] * 3, *["pooling", *[NODES] * 3] * 2, "classifier"]
    assert layers[0].out_channels == 128
    assert [place.outside[0] for place in places] == [
        *[(128, 32)] * 3,
        *[(128, 16), (256, 16), (256, 16)],
        *[(256, 8), (512, 8), (512, 8)],
    ]
    assert layers[-1].in_channels == 512


def test_projections_bring_each_value_to_the_width_and_size_of_the_cell() -> None:
    place = node_layout(DARTS, NetworkSpec(4, 1, 16), 3)[3]
    first, second = projections(DARTS[0], place)
    assert (first.in_channels, first.in_size, second.in_channels, second.in_size) == (16, 16, 32, 8)
    assert [(each.out_channels, each.out_size) for each in (first, second)] == [(8, 8), (8, 8)]
    assert [fixed_total([each], "parameters") for each in (first, second)] == [16 * 8 + 2 * 8, 32 * 8 + 2 * 8]
    assert [fixed_total([each], "flops") for each in (first, second)] == [16 * 8 * 64, 32 * 8 * 64]
