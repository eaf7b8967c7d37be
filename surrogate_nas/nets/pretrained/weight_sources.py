"""Tensors of pretrained networks by name: from a file, of torchvision, or of timm. Nothing is unpickled but tensors."""

import pickle
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any, NamedTuple

import torch
from torch import Tensor

from surrogate_nas._support.cache_folder import expanded
from surrogate_nas._support.optional import require_package
from surrogate_nas._support.tensor_files import read_tensors
from surrogate_nas._support.words import one_line
from surrogate_nas.errors import SettingsError, StoreError, UnreadableError

_SAFETENSORS = ".safetensors"
_DOWNLOADED = "{source} cannot be downloaded ({reason}); download it elsewhere, and give the file in its place"


def read_source(source: str) -> dict[str, Tensor]:
    """Returns the tensors of a pretrained network by name.

    Args:
        source: Path of a safetensors file or of a torch file of tensors alone; or ``torchvision:NAME`` or
            ``timm:NAME``, which that package downloads once.

    Raises:
        SettingsError: If there are no such weights, they cannot be read, or a package is not installed.
    """
    check_source(source)
    package, colon, name = source.partition(":")
    if colon and package in PACKAGES:
        return PACKAGES[package].read(name)
    path = expanded(source)
    return _safetensors(path) if path.suffix == _SAFETENSORS else _torch_file(path)


def check_source(source: str) -> None:
    """Refuses what ``read_source`` cannot read, without reading or downloading weights.

    Args:
        source: As of ``read_source``.

    Raises:
        SettingsError: If there is no such file, its package is not installed, or the package has no such network.
    """
    package, colon, name = source.partition(":")
    if colon and package in PACKAGES:
        PACKAGES[package].require(name)
    elif not expanded(source).is_file():
        names = ", ".join(f"{each}:NAME" for each in PACKAGES)
        raise SettingsError(f"there is no file of weights {source}; give a .safetensors or .pth file, or {names}")


def _safetensors(path: Path) -> dict[str, Tensor]:
    try:
        return read_tensors(path)[0]
    except UnreadableError as error:
        raise SettingsError(f"the weights {error}") from None
    except StoreError as error:
        raise SettingsError(f"the weights {path} are damaged or not complete ({error}); get the file again") from None


def _torch_file(path: Path) -> dict[str, Tensor]:
    try:
        with warnings.catch_warnings(action="ignore"):  # of pickles that are refused anyway
            content = torch.load(path, map_location="cpu", weights_only=True)
    except PermissionError as error:
        raise SettingsError(f"the weights {path} cannot be read: {error.strerror or error}") from None
    except pickle.UnpicklingError:
        raise SettingsError(
            f"{path} is no file of tensors alone, and nothing else is unpickled; where you trust it, save"
            " model.state_dict() by safetensors.torch.save_file, and give that file"
        ) from None
    except Exception as error:  # the unpickler raises errors of any class on bytes that are no pickle
        raise SettingsError(
            f"the weights {path} are damaged or not complete ({one_line(error, 120)}); get the file again"
        ) from None
    return _tensors_alone(content, str(path))


def _tensors_alone(content: object, where: str) -> dict[str, Tensor]:
    if not isinstance(content, Mapping) or not all(isinstance(each, Tensor) for each in content.values()):
        raise SettingsError(f"{where} holds other things than tensors by name; save model.state_dict() alone")
    return {str(name): tensor for name, tensor in content.items()}


def _require_torchvision(name: str) -> Any:  # noqa: ANN401 - a module
    from torchvision import models

    if name not in models.list_models(module=models):
        raise SettingsError(f"torchvision has no network {name!r} of classes; torchvision.models.list_models() has all")
    return models


def _of_torchvision(name: str) -> dict[str, Tensor]:
    weights = _require_torchvision(name).get_model_weights(name)
    try:
        content = weights["DEFAULT"].get_state_dict(progress=False, check_hash=True, weights_only=True)
    except (OSError, RuntimeError) as error:
        raise SettingsError(_DOWNLOADED.format(source=f"torchvision:{name}", reason=one_line(error, 120))) from None
    return _tensors_alone(content, f"torchvision:{name}")


def _require_timm(name: str) -> ModuleType:
    timm = require_package("timm", "weights of timm", SettingsError, "timm")
    if not timm.is_model(name.partition(".")[0]):
        raise SettingsError(f"timm has no network {name!r}; timm.list_pretrained() has all that have weights")
    return timm


def _of_timm(name: str) -> dict[str, Tensor]:
    timm = _require_timm(name)
    try:
        network = timm.create_model(name, pretrained=True)
    except (OSError, RuntimeError) as error:
        raise SettingsError(_DOWNLOADED.format(source=f"timm:{name}", reason=one_line(error, 120))) from None
    return _tensors_alone(network.state_dict(), f"timm:{name}")


class _Package(NamedTuple):
    """Functions of a package: one refuses a name that it does not have, the other reads the weights of a name."""

    require: Callable[[str], object]
    read: Callable[[str], dict[str, Tensor]]


PACKAGES: Mapping[str, _Package] = MappingProxyType(
    {
        "torchvision": _Package(_require_torchvision, _of_torchvision),
        "timm": _Package(_require_timm, _of_timm),
    }
)
"""Packages that have weights by name."""
