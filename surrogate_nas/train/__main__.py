"""``python -m surrogate_nas.train``: the command line of ``surrogate_nas.cli.train``."""

import sys

from surrogate_nas.cli.start import run

if __name__ == "__main__":
    sys.exit(run("train"))
