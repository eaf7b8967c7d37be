"""``python -m surrogate_nas.study``: the command line of ``surrogate_nas.cli.study``."""

import sys

from surrogate_nas.cli.start import run

if __name__ == "__main__":
    sys.exit(run("study"))
