"""``python -m surrogate_nas.predict``: the command line of ``surrogate_nas.cli.predict``."""

import sys

from surrogate_nas.cli.start import run

if __name__ == "__main__":
    sys.exit(run("predict"))
