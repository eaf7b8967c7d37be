"""Run by torchrun: a tiny final training, whole and in two parts."""

import sys
from pathlib import Path

import torch
import torch.distributed
from torch import nn

from surrogate_nas._processes.process_group import Processes
from surrogate_nas.data.final_images import FinalImages
from surrogate_nas.data.images import ImageSet
from surrogate_nas.training.data_parallel import joined
from surrogate_nas.training.final import FinalJob, Trained, train_final
from surrogate_nas.training.recipes import final_recipe
from surrogate_nas.training.settings import FinalSettings

CPU = torch.device("cpu")


def images(count: int) -> ImageSet:
    generator = torch.Generator().manual_seed(count)
    pixels = torch.randint(0, 256, (count, 1, 8, 8), dtype=torch.uint8, generator=generator)
    return ImageSet(pixels, torch.arange(count) % 2, ("even", "odd"))


def train(folder: Path, processes: Processes, stop_after: int) -> Trained | None:
    """Trains until the second process is asked to stop, and only that one; first weights differ by process."""
    folder.mkdir(exist_ok=True)
    torch.manual_seed(processes.rank)
    network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(144, 2))
    given = FinalSettings(epochs=4, batch_size=32)
    recipe = final_recipe(flip=False, images=96, image_size=8, given=given)
    data, steps = FinalImages.of(images(96), images(40), "own", ()), list[int]()
    job = FinalJob(network, data, recipe, 5, folder / "c.safetensors", {}, CPU, processes)
    return train_final(job, lambda step, _: steps.append(step), lambda: processes.rank == 1 and len(steps) > stop_after)


def main(folder: Path) -> None:
    torch.set_num_threads(1)
    with joined(CPU) as processes:
        whole = train(folder / "whole", processes, 99)
        stopped = train(folder / "parts", processes, 5)
        torch.distributed.barrier()
        again = train(folder / "parts", processes, 99)
    assert whole is not None
    assert stopped is None
    assert again is not None
    for name, one in (("whole", whole), ("again", again)):
        torch.save(one.network.state_dict(), folder / f"{name}-{processes.rank}.pt")


main(Path(sys.argv[1]))
