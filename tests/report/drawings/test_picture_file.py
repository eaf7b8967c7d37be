"""The drawing as a file: well-formed, coloured by day and by night, gone where there is nothing to draw."""

import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

from surrogate_nas.report.drawings.picture_file import drawing, write_drawing
from surrogate_nas.report.facts.architectures import BlockFacts, GraphFacts
from surrogate_nas.report.facts.whole import StudyFacts


def test_a_cell_or_blocks_become_a_file_of_their_own(facts: StudyFacts, tmp_path: Path) -> None:
    path = tmp_path / "plots" / "architecture.svg"
    blocks = replace(facts.answer, cell=None, blocks=(BlockFacts("1.1", "a", True),), chained=True)
    graph = replace(blocks, graph=GraphFacts(("input", "sum", "output"), ((0, 1), (0, 2), (1, 2))))
    for answer in (facts.answer, blocks, graph):
        write_drawing(path, answer)
        text = path.read_text(encoding="utf-8")
        assert ElementTree.fromstring(text).tag.endswith("svg")
        assert "prefers-color-scheme: dark" in text
        assert ".cell .edge" in text
        assert "http" not in text.replace("http://www.w3.org/2000/svg", "")
    write_drawing(path, replace(facts.answer, cell=None, blocks=()))
    assert not path.exists()
    assert drawing(replace(facts.answer, cell=None)) is None
