"""``python -m surrogate_nas.hardware``: the command line of ``surrogate_nas.cli.hardware``."""

import sys

from surrogate_nas.cli.start import run

if __name__ == "__main__":
    sys.exit(run("hardware"))
