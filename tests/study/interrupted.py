"""Runs the study command, which one of its workers interrupts as Ctrl-C would.

python interrupted.py FILE POINT ARGUMENT...: a worker that has done 20 steps leaves its id in FILE and acts.
"""

import os
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path

POINT, REPORT = "INTERRUPTED_POINT", "INTERRUPTED_REPORT"
STEP = 20
SECONDS = {"interrupt": 1.0, "interrupt and hang": 3600.0}


def interrupt_at_a_step() -> None:
    """Interrupts the main process from a worker once a training has kept a checkpoint of some steps, and waits."""
    from surrogate_nas.supernet import training
    from surrogate_nas.supernet.checkpoint import Checkpoint, save_checkpoint

    def patched(path: Path, checkpoint: Checkpoint, identity: Mapping[str, str]) -> None:
        save_checkpoint(path, checkpoint, identity)
        if checkpoint.step == STEP:
            Path(os.environ[REPORT]).write_text(str(os.getpid()), encoding="utf-8")
            os.kill(os.getppid(), signal.SIGINT)
            time.sleep(SECONDS[os.environ[POINT]])

    setattr(training, "save_checkpoint", patched)  # noqa: B010 - its own import of it


if __name__ == "__main__":
    os.environ[REPORT], os.environ[POINT] = sys.argv[1:3]
    sys.argv[1:] = sys.argv[3:]
    from surrogate_nas.cli.study import main

    sys.exit(main())
elif POINT in os.environ:
    interrupt_at_a_step()
