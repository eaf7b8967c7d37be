"""Connects this process to a Ray cluster, without giving up its signals and its standard output."""

import os
import signal
import socket
import threading
import uuid
from typing import Any

from surrogate_nas._support.optional import require_package
from surrogate_nas._support.words import one_line
from surrogate_nas.errors import SettingsError

_ANSWER_SECONDS = 10.0


def connected(address: str) -> Any:  # noqa: ANN401 - Ray is an optional package
    """Returns the package ray, connected to a cluster.

    Args:
        address: ``auto`` for the cluster of this machine or of ``RAY_ADDRESS``, or ``ray://HOST:PORT``.

    Raises:
        SettingsError: If Ray is not installed, or there is no such cluster.
    """
    ray = require_package("ray", "studies on a cluster", SettingsError, "ray")
    if ray.is_initialized():
        raise SettingsError("this process is connected to a Ray cluster already; end that with ray.shutdown()")
    if address == "auto":
        address = os.environ.get("RAY_ADDRESS", address)
    before = signal.getsignal(signal.SIGTERM)
    _keep_standard_output_for_results()
    try:
        _require_answer(address)
        ray.init(
            address=address, namespace=f"surrogate_nas-{uuid.uuid4().hex}", logging_level="ERROR", log_to_driver=False
        )
    except (OSError, ValueError, RuntimeError, ImportError) as error:
        ray.shutdown()  # of a connection that was half made
        raise SettingsError(
            f"compute.cluster: no Ray cluster answers at {address!r} ({one_line(error)}); begin one with:"
            " ray start --head"
        ) from None
    finally:
        # Ray would end the process at once; a study saves its work first.
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, before)
    return ray


def _keep_standard_output_for_results() -> None:
    """Sends Ray's remarks on machines to standard error; Ray has no setting for it."""
    from ray._private import worker

    write = worker.print_to_stdstream
    if write.__module__ != __name__:

        def write_error(data: dict[str, Any], ignore_prefix: bool) -> None:
            write(data | {"is_err": True}, ignore_prefix)

        worker.print_to_stdstream = write_error


def _require_answer(address: str) -> None:
    """Refuses an address where nothing answers, for which Ray itself waits for minutes."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if colon:
        socket.create_connection((host, int(port)), _ANSWER_SECONDS).close()
