"""Reads a space of chains from its TOML definition."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field

from surrogate_nas._support.words import shown
from surrogate_nas.errors import SpaceError
from surrogate_nas.space.codes import Decision
from surrogate_nas.space.definitions.header import STRICT, Header, validated
from surrogate_nas.space.definitions.identity import identity_of
from surrogate_nas.space.kinds.chain.elastic import ElasticSpace
from surrogate_nas.space.kinds.chain.names import Names, read_names
from surrogate_nas.space.kinds.chain.sizes import Sizes
from surrogate_nas.space.kinds.chain.skeleton import ChainStage, FixedLayer, Skeleton
from surrogate_nas.space.kinds.chain.space import ChainSpace
from surrogate_nas.space.network import CHOICE, Layer
from surrogate_nas.space.operations.families import find_block
from surrogate_nas.space.operations.fixed import FIXED_LAYERS, find_fixed_layer
from surrogate_nas.space.operations.program import Program
from surrogate_nas.space.space import Space

_MOST_LAYERS = 128
_NO_LAYER = "identity"
_MOST_BLOCKS = 36
Blocks = Annotated[list[str], Field(min_length=1, max_length=_MOST_BLOCKS)]
Width = Annotated[int, Field(ge=1, le=8192)]
Widths = Annotated[
    list[Width],
    BeforeValidator(lambda given: [given] if isinstance(given, int) else given),
    Field(min_length=1, max_length=36),
]
Stride = Annotated[Literal[1, 2], Field()]


class _Fixed(BaseModel):
    model_config = STRICT
    layer: str
    width: Width | Literal["first"]
    stride: Stride = 1


class _Stage(BaseModel):
    model_config = STRICT
    layers: Annotated[int, Field(ge=1, le=64)]
    width: Widths
    stride: Stride = 1
    operations: Blocks | None = None
    least_layers: Annotated[int, Field(ge=0)] | None = None


class _Constraint(BaseModel):
    model_config = STRICT
    without: Annotated[list[str], Field(min_length=1)]
    layers: Annotated[list[str], Field(min_length=1)]


_MAX_POOL, _POOLED = "max_pool_k3", "pooled_linear_hs"


class _Network(BaseModel):
    model_config = STRICT
    image_size: Annotated[int, Field(ge=1, le=1024)]


class _Elastic(BaseModel):
    model_config = STRICT
    resolutions: Annotated[list[Annotated[int, Field(ge=1, le=1024)]], Field(min_length=2, max_length=36)]


class _Definition(Header):
    operations: Blocks
    before: Annotated[list[_Fixed], Field(default_factory=list, max_length=16)]
    stages: Annotated[list[_Stage], Field(min_length=1, max_length=16)]
    after: Annotated[list[_Fixed], Field(default_factory=list, max_length=16)]
    constraints: Annotated[list[_Constraint], Field(default_factory=list)]
    network: _Network
    elastic: _Elastic | None = None
    pretrained: Annotated[list[Names], Field(default_factory=list, max_length=16)]


def read_chain_space(content: dict[str, Any], path: Path, program: Program | None) -> Space:
    """Returns the space of a definition of kind ``chain``.

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
        _fixed(definition.before, f"{path}: before", is_last=False),
        _constrained(definition, path),
        _fixed(definition.after, f"{path}: after", is_last=True),
    )
    names = read_names(definition.pretrained, skeleton, f"{path}: pretrained")
    meaning = ["chain", [[stage.choices for stage in skeleton.stages], *_structure(skeleton)]]
    sizes = _sizes(definition, path)
    if sizes.decisions:
        chain = ChainSpace(identity_of(definition.name, meaning), skeleton, definition.network.image_size, names)
        return _elastic(chain, sizes, path, program)
    identity = identity_of(definition.name, meaning, program)
    space = ChainSpace(identity, skeleton, definition.network.image_size, names)
    if space.size == 1:
        raise SpaceError(f"{path}: operations: every layer has one choice only, so there is nothing to search")
    for layer in space.layout(space.network):
        _check_fixed(layer, path)
        _check_shape(layer, space.decisions, path)
    return space


def _sizes(definition: _Definition, path: Path) -> Sizes:
    largest = definition.network.image_size
    resolutions = [largest] if definition.elastic is None else definition.elastic.resolutions
    if resolutions != sorted(set(resolutions)) or resolutions[-1] != largest:
        raise SpaceError(
            f"{path}: elastic.resolutions: must rise up to network.image_size, {largest} (got"
            f" {', '.join(map(str, resolutions))})"
        )
    for number, stage in enumerate(definition.stages):
        if stage.width != sorted(set(stage.width)):
            raise SpaceError(
                f"{path}: stages.{number}.width: must rise (got {', '.join(map(str, stage.width))}); the last is the"
                " largest"
            )
    return Sizes(tuple(resolutions), tuple(tuple(stage.width) for stage in definition.stages))


def _elastic(chain: ChainSpace, sizes: Sizes, path: Path, program: Program | None) -> ElasticSpace:
    # Spaces whose resolution alone is chosen keep the fingerprint that their files have.
    chosen = ["resolutions", chain.fingerprint, list(sizes.resolutions)]
    if any(len(widths) > 1 for widths in sizes.widths):
        chosen = ["sizes", chain.fingerprint, [list(sizes.resolutions), [list(widths) for widths in sizes.widths]]]
    space = ElasticSpace(identity_of(chain.name, chosen, program), chain, sizes)
    try:
        positions = space.layer_variants(space.network)
    except SpaceError as error:
        raise SpaceError(f"{path}: {error}") from None
    for variants in positions:
        for layer in variants:
            _check_fixed(layer, path)
            _check_shape(layer, space.decisions, path)
        _check_widths(variants, space.decisions, path)
    return space


def _structure(skeleton: Skeleton) -> list[object]:
    """Returns the parts that give a code its meaning in addition to the choices: not the widths, which a study sets."""
    fixed = [[(layer.layer, layer.stride) for layer in part] for part in (skeleton.before, skeleton.after)]
    elastic = [stage.elastic for stage in skeleton.stages]
    return [[fixed, [stage.stride for stage in skeleton.stages]], *([elastic] if any(elastic) else [])]


def _check_blocks(names: list[str], where: str) -> None:
    for position, name in enumerate(names):
        try:
            find_block(name)
        except SpaceError as error:
            raise SpaceError(f"{where}.{position}: {error}") from None
        if name in names[:position]:
            raise SpaceError(f"{where}.{position}: {shown(name)} appears twice")


def _fixed(layers: list[_Fixed], where: str, *, is_last: bool) -> tuple[FixedLayer, ...]:
    found = []
    known = [_MAX_POOL, *([_POOLED] if is_last else [])]
    for position, one in enumerate(layers):
        if one.layer in FIXED_LAYERS and one.layer not in known:
            raise SpaceError(
                f"{where}.{position}.layer: {shown(one.layer)} cannot stand here; use a block, such as conv_bn_relu_k3,"
                f" or {' or '.join(known)} (docs/reference/search-spaces.md)"
            )
        try:
            pools = find_fixed_layer(one.layer).pools
        except SpaceError as error:
            raise SpaceError(f"{where}.{position}.layer: {error}") from None
        found.append(FixedLayer(one.layer, None if one.width == "first" else one.width, one.stride, pools))
    return tuple(found)


def _constrained(definition: _Definition, path: Path) -> tuple[ChainStage, ...]:
    """Returns the stages as the constraints leave them."""
    names = {
        f"{stage + 1}.{layer + 1}": (stage, layer)
        for stage, one in enumerate(definition.stages)
        for layer in range(one.layers)
    }
    choices = [_choices(definition, number, f"{path}: stages.{number}") for number in range(len(definition.stages))]
    for number, constraint in enumerate(definition.constraints):
        where = f"{path}: constraints.{number}"
        for name in constraint.layers:
            if name not in names and name != "first":
                raise SpaceError(f"{where}.layers: must be 'first' or of {', '.join(names)} (got {shown(name)})")
        places = {names[name] for name in constraint.layers if name != "first"}
        if "first" in constraint.layers:
            places |= {(stage, 0) for stage in range(len(choices))}
        taken = {block for stage, layer in places for block in choices[stage][layer]}
        for block in constraint.without:
            if block not in taken:
                raise SpaceError(f"{where}.without: none of these layers can be {shown(block)}")
        for stage, layer in places:
            choices[stage][layer] = [block for block in choices[stage][layer] if block not in constraint.without]
    for (stage, layer), name in zip(names.values(), names, strict=True):
        if not choices[stage][layer]:
            raise SpaceError(f"{path}: constraints: nothing is left for layer {name}")
    return tuple(
        _stage(stage, layers, f"{path}: constraints: layers of stage {number}")
        for number, (stage, layers) in enumerate(zip(definition.stages, choices, strict=True), start=1)
    )


def _stage(stage: _Stage, choices: list[list[str]], where: str) -> ChainStage:
    elastic = _left_out(stage)
    last = choices[stage.layers - elastic :]
    if any(each != last[0] or _NO_LAYER not in each for each in last):
        raise SpaceError(f"{where} that may be left out must have the same choices, {_NO_LAYER!r} among them")
    return ChainStage(stage.width[-1], stage.stride, tuple(map(tuple, choices)), elastic)


def _left_out(stage: _Stage) -> int:
    """Returns how many layers of a stage may be left out."""
    return 0 if stage.least_layers is None else stage.layers - stage.least_layers


def _choices(definition: _Definition, number: int, where: str) -> list[list[str]]:
    """Blocks of each layer of a stage, before constraints."""
    stage = definition.stages[number]
    blocks = list(stage.operations or definition.operations)
    if stage.least_layers is None:
        return [blocks] * stage.layers
    if stage.least_layers > stage.layers:
        raise SpaceError(f"{where}.least_layers: must be at most layers, {stage.layers} (got {stage.least_layers})")
    nothing = [block for block in blocks if find_block(block).is_identity]
    if nothing:
        raise SpaceError(
            f"{where}.least_layers: says which layers may do nothing, so {shown(nothing[0])} must not be among the"
            " operations"
        )
    if len(blocks) == _MOST_BLOCKS:
        raise SpaceError(
            f"{where}.operations: must be {_MOST_BLOCKS - 1} at most with least_layers (got {len(blocks)})"
        )
    return [blocks] * stage.least_layers + [[*blocks, _NO_LAYER]] * _left_out(stage)


def _check_fixed(layer: Layer, path: Path) -> None:
    """Refuses blocks that cannot stand where the definition has them, before the stages or after them."""
    if not layer.is_fixed or (layer.kind in FIXED_LAYERS and layer.kind != _MAX_POOL):
        return
    sizes = (layer.in_channels, layer.in_size, layer.out_channels, layer.out_size)
    takes = "takes {} channels of {} pixels and gives {} of {}".format(*sizes)
    if layer.kind == _MAX_POOL:
        if layer.in_channels != layer.out_channels:
            raise SpaceError(f"{path}: {_MAX_POOL} must keep the number of channels; here it {takes}")
        return
    spec = find_block(layer.kind)
    if not layer.shape.keeps and not spec.changes_shape:
        raise SpaceError(f"{path}: {shown(layer.kind)} must keep the shape; before or after the stages it {takes}")
    if any(width % spec.divisor for width in (layer.in_channels, layer.out_channels)):
        raise SpaceError(
            f"{path}: {shown(layer.kind)} needs widths that are multiples of {spec.divisor}; before or after the stages"
            f" it {takes}"
        )


def _check_shape(layer: Layer, decisions: Sequence[Decision], path: Path) -> None:
    """Refuses blocks that cannot stand where they are to be chosen."""
    if layer.kind != CHOICE or layer.decision is None:
        return
    decision, stage = decisions[layer.decision], layer.stage
    for block in decision.choices:
        spec, widths = find_block(block), (layer.in_channels, layer.out_channels)
        if not layer.shape.keeps and not spec.changes_shape:
            raise SpaceError(
                f"{path}: stages.{stage}: {shown(block)} cannot be layer {decision.name}, which takes"
                f" {layer.in_channels} channels of {layer.in_size} pixels and gives {layer.out_channels} of"
                f" {layer.out_size}; take it away by a constraint, or use 'skip'"
            )
        if any(width % spec.divisor for width in widths):
            raise SpaceError(
                f"{path}: stages.{stage}: {shown(block)} needs widths that are multiples of {spec.divisor} in layer"
                f" {decision.name} (got {widths[0]} and {widths[1]})"
            )


def _check_widths(variants: Sequence[Layer], decisions: Sequence[Decision], path: Path) -> None:
    """Refuses a layer that keeps the shape at some widths and changes it at others: one has weights, one has none."""
    first = variants[0]
    if first.kind != CHOICE or first.decision is None:
        return
    for side in {layer.in_size for layer in variants}:
        kept = {layer.shape.keeps: layer.out_channels for layer in variants if layer.in_size == side}
        if len(kept) > 1:
            raise SpaceError(
                f"{path}: stages.{first.stage}.width: {kept[True]} is a width of the stage before as well, so layer"
                f" {decisions[first.decision].name} would change the shape at some widths only; give this stage other"
                " widths, or stride 2"
            )
