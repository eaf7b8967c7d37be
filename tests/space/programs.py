"""A space whose operations a user wrote, for tests."""

from pathlib import Path

PROGRAM = """\
from torch import nn

from surrogate_nas import operation


@operation("conv_gelu_k3", nonlinear_functions=1, reach=1)
def conv_gelu(in_channels, out_channels, stride, norm):
    convolution = nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=False)
    return nn.Sequential(convolution, norm(out_channels), nn.GELU())
"""
CHAIN = """\
name = "mine"
kind = "chain"
program = "mine.py"
operations = ["mbconv_k3_e2", "conv_gelu_k3"]

[[stages]]
layers = 2
width = 4
stride = 2

[network]
image_size = 8
"""
CELL = """\
name = "mine"
kind = "cell"
program = "mine.py"
operations = ["none", "skip_connect", "conv_gelu_k3"]

[cell]
nodes = 3
edges = ["1<-0", "2<-0", "2<-1"]

[network]
channels = 4
cells = 1
stages = 2
image_size = 8
"""
NODES = """\
name = "mine"
kind = "nodes"
program = "mine.py"
operations = ["skip_connect", "conv_gelu_k3"]
operations_on = "edges"

[[cells]]
name = "normal"
inputs = 2
nodes = [2, 2]

[[cells]]
name = "reduction"
inputs = 2
nodes = [2, 2]
reduces = true

[network]
channels = 4
cells = 1
stages = 2
image_size = 8
"""


def write_space(folder: Path, definition: str = CHAIN, program: str = PROGRAM) -> str:
    """Writes both files, and returns the path of the definition."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "mine.py").write_text(program, encoding="utf-8")
    (folder / "mine.toml").write_text(definition, encoding="utf-8")
    return str(folder / "mine.toml")
