"""Reads a space of one cell from its TOML definition."""

import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, Field

from surrogate_nas._support.words import shown
from surrogate_nas.errors import SpaceError
from surrogate_nas.space.definitions.header import STRICT, Header, validated
from surrogate_nas.space.definitions.identity import identity_of
from surrogate_nas.space.kinds.cell.space import CellSpace
from surrogate_nas.space.network import NetworkSpec, residual_stages
from surrogate_nas.space.operations.program import Program
from surrogate_nas.space.operations.table import operation_spec, require_operation
from surrogate_nas.space.space import LISTING_LIMIT

# Few digits, since no cell has many nodes and Python refuses to read numbers of thousands of digits.
_EDGE = re.compile(r"(\d{1,3})<-(\d{1,3})", re.ASCII)


class _Cell(BaseModel):
    model_config = STRICT
    nodes: Annotated[int, Field(ge=2, le=16)]
    edges: Annotated[list[str], Field(min_length=1, max_length=64)]


class _Network(BaseModel):
    model_config = STRICT
    # Bounds within which every count of a network fits into 64 bits.
    channels: Annotated[int, Field(ge=1, le=1024)]
    cells: Annotated[int, Field(ge=1, le=64)]
    stages: Annotated[int, Field(ge=1, le=8)]
    image_size: Annotated[int, Field(ge=1, le=1024)]


class _Definition(Header):
    operations: Annotated[list[str], Field(min_length=2, max_length=36)]
    cell: _Cell
    network: _Network


def read_cell_space(content: dict[str, Any], path: Path, program: Program | None) -> CellSpace:
    """Returns the space of a definition of kind ``cell``.

    Raises:
        SpaceError: If the definition is malformed; the message names file and key.
    """
    definition = validated(_Definition, content, path)
    for operation in definition.operations:
        try:
            require_operation(operation)
        except SpaceError as error:
            raise SpaceError(f"{path}: operations: {error}") from None
    twice = [operation for operation in definition.operations if definition.operations.count(operation) > 1]
    if twice:
        raise SpaceError(f"{path}: operations: {shown(twice[0])} appears twice")
    if not any(operation_spec(operation).is_zero for operation in definition.operations):
        raise SpaceError(f"{path}: operations: one must cut its edge, such as 'none'")
    edges = _edges(definition.cell, path)
    size = len(definition.operations) ** len(edges)
    if size > LISTING_LIMIT:
        raise SpaceError(
            f"{path}: cell.edges: {len(edges)} edges with {len(definition.operations)} operations are {size:,}"
            f" architectures, but a cell may have {LISTING_LIMIT:,} at most; remove edges or operations, or"
            ' write a cell of kind = "nodes"'
        )
    sizes = definition.network
    network = NetworkSpec(sizes.channels, sizes.cells, sizes.image_size, stages=sizes.stages)
    try:
        residual_stages(network)
    except SpaceError as error:
        raise SpaceError(f"{path}: network: {error}") from None
    identity = identity_of(definition.name, ["cell", edges, definition.operations], program)
    return CellSpace(identity, edges, definition.operations, network)


def _edges(cell: _Cell, path: Path) -> list[tuple[int, int]]:
    """Returns the start and end of each edge, checked: in order, no cycle, and every node between input and output."""
    edges: list[tuple[int, int]] = []
    for position, text in enumerate(cell.edges):
        where = f"{path}: cell.edges.{position}"
        match = _EDGE.fullmatch(text)
        if match is None:
            raise SpaceError(f"{where}: an edge is written 'end<-start', as '2<-1' (got {shown(text)})")
        end, start = int(match[1]), int(match[2])
        if not start < end:
            raise SpaceError(f"{where}: an edge leads to a later node, so that no cycle arises (got {shown(text)})")
        if end >= cell.nodes:
            raise SpaceError(f"{where}: nodes are 0 to {cell.nodes - 1} (got {shown(text)})")
        if (start, end) in edges:
            raise SpaceError(f"{where}: {shown(text)} appears twice")
        if edges and end < edges[-1][1]:
            raise SpaceError(f"{where}: edges must be sorted by their end ({shown(text)} comes too late)")
        edges.append((start, end))
    last = cell.nodes - 1
    for node in range(last, 0, -1):
        if not any(end == node for _, end in edges):
            name = f"the output, node {node}" if node == last else f"node {node}"
            raise SpaceError(f"{path}: cell.edges: no edge leads to {name}; add one such as '{node}<-{node - 1}'")
    for node in range(last):
        if not any(start == node for start, _ in edges):
            raise SpaceError(f"{path}: cell.edges: no edge leaves node {node}; add one such as '{last}<-{node}'")
    return edges
