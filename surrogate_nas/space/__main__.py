"""``python -m surrogate_nas.space``: the command line of ``surrogate_nas.cli.space``."""

import sys

from surrogate_nas.cli.start import run

if __name__ == "__main__":
    sys.exit(run("space"))
