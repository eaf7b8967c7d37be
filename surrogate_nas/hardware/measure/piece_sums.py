"""Times the pieces of networks, and sums their latencies up for any architecture.

Symbols:
    N: architectures in the batch.
    P: distinct pieces of the networks.
    G: groups of pieces.
"""

import numpy as np
from numpy.typing import NDArray

from surrogate_nas.hardware.measure.bench import Bench, Candidate
from surrogate_nas.hardware.measure.pieces import workload
from surrogate_nas.hardware.measurement import Measurement
from surrogate_nas.hardware.protocol import Progress
from surrogate_nas.hardware.regression.weighted_sum import weighted_sum
from surrogate_nas.nets.workload import FIXED
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.space import Codes, Space


class PieceSums:
    """Latencies of all pieces of a space's networks, measured on construction.

    Args:
        space: Search space of the codes.
        network: The deployed network.
        bench: Device and settings of the measurements.
        on_progress: Called during measurements.

    Attributes:
        groups: Names of the groups of pieces, length G.
        measured: Latency of each piece.
        machine: Processor on which they were timed.

    Raises:
        MeasurementError: If a piece cannot be run.
        SpaceError: If the sizes of the network do not suit the space.
    """

    def __init__(self, space: Space, network: NetworkSpec, bench: Bench, on_progress: Progress | None = None) -> None:
        self._space, self._network = space, network
        self.machine: str = bench.describe()["machine"]
        self._workload = workload(space, network)
        pieces: dict[str, Candidate] = {piece.key: (piece.build, piece.input_shape) for piece in self._workload.pieces}
        self.measured: dict[str, Measurement] = dict(bench.measure("operations", pieces, on_progress))
        # The first layers of a chain may be chosen ones.
        groups = list(dict.fromkeys([FIXED, *(piece.group for piece in self._workload.pieces)]))
        self.groups: tuple[str, ...] = tuple(groups)
        self._piece_ms = np.zeros((len(pieces), len(groups)))
        for row, piece in enumerate(self._workload.pieces):
            self._piece_ms[row, groups.index(piece.group)] = self.measured[piece.key].median_ms

    def group_ms(self, effective: Codes) -> NDArray[np.float64]:
        """Returns the summed latency of each group of pieces of effective codes (N, D), shape (N, G)."""
        counts = self._workload.counts(effective).astype(np.float64)
        return np.column_stack([weighted_sum(counts, of_pieces) for of_pieces in self._piece_ms.T])

    def weights(self, effective: Codes) -> NDArray[np.float64]:
        """Returns the number of weights of each network, (N,)."""
        return self._space.parameters(effective, self._network).astype(np.float64)
