"""Reads a space of chains from its TOML definition."""

import hashlib
import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from surrogate_nas.errors import SpaceError
from surrogate_nas.space.block_families import find_block
from surrogate_nas.space.chain import ChainSpace
from surrogate_nas.space.chain_layout import FixedLayer, Skeleton, Stage, chain_layout
from surrogate_nas.space.definition import STRICT, Header, validated
from surrogate_nas.space.fixed_layers import find_fixed_layer

_MOST_LAYERS = 128
Blocks = Annotated[list[str], Field(min_length=1, max_length=36)]
Width = Annotated[int, Field(ge=1, le=8192)]
Stride = Annotated[Literal[1, 2], Field()]


class _Fixed(BaseModel):
    model_config = STRICT
    layer: str
    width: Width
    stride: Stride = 1


class _Stage(BaseModel):
    model_config = STRICT
    layers: Annotated[int, Field(ge=1, le=64)]
    width: Width
    stride: Stride = 1
    operations: Blocks | None = None


class _Constraint(BaseModel):
    model_config = STRICT
    without: Annotated[list[str], Field(min_length=1)]
    layers: Annotated[list[str], Field(min_length=1)]


class _Network(BaseModel):
    model_config = STRICT
    image_size: Annotated[int, Field(ge=1, le=1024)]


class _Definition(Header):
    operations: Blocks
    before: Annotated[list[_Fixed], Field(default_factory=list, max_length=16)]
    stages: Annotated[list[_Stage], Field(min_length=1, max_length=16)]
    after: Annotated[list[_Fixed], Field(default_factory=list, max_length=16)]
    constraints: Annotated[list[_Constraint], Field(default_factory=list)]
    network: _Network


def read_chain_space(content: dict[str, Any], path: Path) -> ChainSpace:
    """The space of a definition of kind ``chain``.

    Raises:
        SpaceError: If the definition is malformed; the message names file and key.
    """
    definition = validated(_Definition, content, path)
    if sum(stage.layers for stage in definition.stages) > _MOST_LAYERS:
        raise SpaceError(f"{path}: stages: together they may have {_MOST_LAYERS} layers at most")
    _check_blocks(definition.operations, f"{path}: operations")
    for number, stage in enumerate(definition.stages):
        if stage.operations is not None:
            _check_blocks(stage.operations, f"{path}: stages.{number}.operations")
    skeleton = Skeleton(
        _fixed(definition.before, f"{path}: before"),
        _constrained(definition, path),
        _fixed(definition.after, f"{path}: after"),
    )
    meaning = json.dumps(["chain", [[stage.choices for stage in skeleton.stages], _structure(skeleton)]])
    fingerprint = hashlib.sha256(meaning.encode()).hexdigest()[:16]
    space = ChainSpace(definition.name, fingerprint, skeleton, definition.network.image_size)
    if space.size == 1:
        raise SpaceError(f"{path}: operations: every layer has one choice only, so there is nothing to search")
    _check_shapes(space, path)
    return space


def _structure(skeleton: Skeleton) -> list[object]:
    """What gives a code its meaning beside the choices: not the widths, which a study sets."""
    fixed = [[(layer.layer, layer.stride) for layer in part] for part in (skeleton.before, skeleton.after)]
    return [fixed, [stage.stride for stage in skeleton.stages]]


def _check_blocks(names: list[str], where: str) -> None:
    for position, name in enumerate(names):
        try:
            find_block(name)
        except SpaceError as error:
            raise SpaceError(f"{where}.{position}: {error}") from None
        if name in names[:position]:
            raise SpaceError(f"{where}.{position}: {name!r} is listed twice")


def _fixed(layers: list[_Fixed], where: str) -> tuple[FixedLayer, ...]:
    for position, one in enumerate(layers):
        try:
            find_fixed_layer(one.layer)
        except SpaceError as error:
            raise SpaceError(f"{where}.{position}.layer: {error}") from None
    return tuple(FixedLayer(one.layer, one.width, one.stride) for one in layers)


def _constrained(definition: _Definition, path: Path) -> tuple[Stage, ...]:
    """The stages, with what the constraints take away."""
    names = {
        f"{stage + 1}.{layer + 1}": (stage, layer)
        for stage, one in enumerate(definition.stages)
        for layer in range(one.layers)
    }
    choices = [[list(stage.operations or definition.operations)] * stage.layers for stage in definition.stages]
    for number, constraint in enumerate(definition.constraints):
        where = f"{path}: constraints.{number}"
        for name in constraint.layers:
            if name not in names and name != "first":
                raise SpaceError(f"{where}.layers: must be 'first' or of {', '.join(names)} (got {name!r})")
        places = {names[name] for name in constraint.layers if name != "first"}
        if "first" in constraint.layers:
            places |= {(stage, 0) for stage in range(len(choices))}
        taken = {block for stage, layer in places for block in choices[stage][layer]}
        for block in constraint.without:
            if block not in taken:
                raise SpaceError(f"{where}.without: none of these layers can be {block!r}")
        for stage, layer in places:
            choices[stage][layer] = [block for block in choices[stage][layer] if block not in constraint.without]
    for (stage, layer), name in zip(names.values(), names, strict=True):
        if not choices[stage][layer]:
            raise SpaceError(f"{path}: constraints: nothing is left for layer {name}")
    pairs = zip(definition.stages, choices, strict=True)
    return tuple(Stage(stage.width, stage.stride, tuple(map(tuple, layers))) for stage, layers in pairs)


def _check_shapes(space: ChainSpace, path: Path) -> None:
    """Refuses blocks that cannot stand where they are to be chosen."""
    for layer in chain_layout(space.skeleton, space.network):
        if layer.decision is None:
            continue
        decision, stage = space.decisions[layer.decision], layer.stage
        for block in decision.choices:
            spec, widths = find_block(block), (layer.in_channels, layer.out_channels)
            if not layer.shape.keeps and not spec.changes_shape:
                raise SpaceError(
                    f"{path}: stages.{stage}: {block!r} cannot be layer {decision.name}, which takes"
                    f" {layer.in_channels} channels of {layer.in_size} pixels and gives {layer.out_channels} of"
                    f" {layer.out_size}; take it away by a constraint, or use 'skip'"
                )
            if any(width % spec.divisor for width in widths):
                raise SpaceError(
                    f"{path}: stages.{stage}: {block!r} needs widths that are multiples of {spec.divisor} in layer"
                    f" {decision.name} (got {widths[0]} and {widths[1]})"
                )
