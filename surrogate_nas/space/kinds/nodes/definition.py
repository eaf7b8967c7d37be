"""Reads a space of cells whose nodes choose their inputs from its TOML definition."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from surrogate_nas._support.words import shown
from surrogate_nas.errors import SpaceError
from surrogate_nas.space.definitions.header import STRICT, Header, validated
from surrogate_nas.space.definitions.identity import identity_of
from surrogate_nas.space.kinds.nodes.layout import node_layout
from surrogate_nas.space.kinds.nodes.node_cell import NodeCell
from surrogate_nas.space.kinds.nodes.space import NodeSpace
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.operations.program import Program
from surrogate_nas.space.operations.table import operation_spec, require_operation

# A code's digits are 0 to 9 and a to z.
_MOST_CHOICES = 36


class _Cell(BaseModel):
    model_config = STRICT
    name: Annotated[str, Field(pattern=r"^[a-z0-9_]+$")]
    inputs: Annotated[int, Field(ge=1, le=2)]
    # Counting architectures takes seconds with this many nodes, and minutes with two more.
    nodes: Annotated[list[Annotated[int, Field(ge=1, le=16)]], Field(min_length=1, max_length=8)]
    output: Annotated[int | None, Field(ge=1, le=16)] = None
    reduces: bool = False


class _Network(BaseModel):
    model_config = STRICT
    # Bounds within which every count of a network fits into 64 bits.
    channels: Annotated[int, Field(ge=1, le=1024)]
    cells: Annotated[int, Field(ge=1, le=64)]
    stages: Annotated[int, Field(ge=1, le=8)]
    image_size: Annotated[int, Field(ge=1, le=1024)]
    stem: Annotated[int, Field(ge=1, le=16)] = 1


class _Definition(Header):
    operations: Annotated[list[str], Field(min_length=2, max_length=_MOST_CHOICES)]
    operations_on: Literal["edges", "nodes"]
    cells: Annotated[list[_Cell], Field(min_length=1, max_length=2)]
    network: _Network


def read_node_space(content: dict[str, Any], path: Path, program: Program | None) -> NodeSpace:
    """Returns the space of a definition of kind ``nodes``.

    Raises:
        SpaceError: If the definition is malformed; the message names file and key.
    """
    definition = validated(_Definition, content, path)
    _check_operations(definition.operations, path)
    on_edges = definition.operations_on == "edges"
    cells = [
        NodeCell(cell.name, cell.inputs, tuple(cell.nodes), cell.output, on_edges, cell.reduces)
        for cell in definition.cells
    ]
    _check_cells(cells, path)
    size = definition.network
    network = NetworkSpec(size.channels, size.cells, size.image_size, stages=size.stages)
    try:
        node_layout(cells, network, size.stem)
    except SpaceError as error:
        raise SpaceError(f"{path}: network: {error}") from None
    shapes = [[cell.inputs, cell.parents, cell.output, cell.reduces] for cell in cells]
    meaning = ["nodes", definition.operations_on, shapes, size.stem, definition.operations]
    identity = identity_of(definition.name, meaning, program)
    return NodeSpace(identity, cells, definition.operations, network, size.stem)


def _check_operations(operations: list[str], path: Path) -> None:
    for operation in operations:
        where = f"{path}: operations: "
        try:
            require_operation(operation)
        except SpaceError as error:
            raise SpaceError(f"{where}{error}") from None
        if operations.count(operation) > 1:
            raise SpaceError(f"{where}{shown(operation)} appears twice")
        if operation_spec(operation).is_zero:
            raise SpaceError(
                f"{where}{shown(operation)} cuts its edge, but nodes choose what they take in: leave it out"
            )


def _check_cells(cells: list[NodeCell], path: Path) -> None:
    if len({cell.name for cell in cells}) < len(cells):
        raise SpaceError(f"{path}: cells.1.name: {shown(cells[1].name)} is the name of both cells")
    for position, cell in enumerate(cells):
        where = f"{path}: cells.{position}."
        if cell.reduces != (position == 1):
            raise SpaceError(f"{where}reduces: the second cell reduces and the first does not (got {cell.reduces})")
        if cell.reduces and not cell.on_edges:
            raise SpaceError(
                f"{where}reduces: operations on nodes cannot halve some of what they add up; set operations_on ="
                ' "edges", or leave this cell out and let pooling halve the size'
            )
        if cell.reduces and cell.output is not None:
            raise SpaceError(
                f"{where}output: inputs are larger than nodes here and cannot be concatenated; leave it out"
            )
        for node in range(cell.nodes + 1):
            key = "output" if node == cell.nodes else f"nodes.{node}"
            number = cell.parts if node == cell.nodes else cell.parents[node]
            if number > cell.inputs + node:
                raise SpaceError(f"{where}{key}: there are only {cell.inputs + node} earlier values (got {number})")
            if len(cell.inputs_of(node)) > _MOST_CHOICES:
                raise SpaceError(
                    f"{where}{key}: {len(cell.inputs_of(node))} ways to take {number} of {cell.inputs + node} values"
                    f" are more than {_MOST_CHOICES}, the digits there are"
                )
