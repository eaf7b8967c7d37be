"""A Ray cluster of two machines on this one, for the tests that need one."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from surrogate_nas._processes.ray_workers import RayWorkers, Share

MakeRayWorkers = Callable[..., RayWorkers]
_SHARE = Share()


@pytest.fixture(scope="session")
def ray_cluster() -> Iterator[Any]:
    """Yields a cluster of two machines with two processors each; it is skipped where Ray is not installed."""
    pytest.importorskip("ray", reason="Ray is not installed: pip install 'surrogate_nas[ray]'")
    from ray.cluster_utils import Cluster

    machine = {"num_cpus": 2, "object_store_memory": 80 * 2**20, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=machine)
    cluster.add_node(num_cpus=2, object_store_memory=80 * 2**20)
    yield cluster
    cluster.shutdown()  # type: ignore[no-untyped-call]


@pytest.fixture
def ray_workers(ray_cluster: Any, tmp_path: Path) -> MakeRayWorkers:  # noqa: ANN401 - Ray is an optional package
    """Returns a function that makes workers of the cluster; all its machines see the witness."""
    witness = tmp_path / "witness"
    witness.touch()

    def make(processes: int | None, witness: Path = witness, share: Share = _SHARE) -> RayWorkers:
        return RayWorkers(ray_cluster.address, processes, share, witness)

    return make
