"""``python -m surrogate_nas.report``: the command line of ``surrogate_nas.cli.report``."""

import sys

from surrogate_nas.cli.start import run

if __name__ == "__main__":
    sys.exit(run("report"))
