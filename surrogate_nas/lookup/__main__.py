"""``python -m surrogate_nas.lookup``: the command line of ``surrogate_nas.cli.lookup``."""

import sys

from surrogate_nas.cli.start import run

if __name__ == "__main__":
    sys.exit(run("lookup"))
