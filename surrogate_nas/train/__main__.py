"""``python -m surrogate_nas.train``: the command line of ``surrogate_nas.cli.train``."""

import sys

from surrogate_nas.cli.train import main

if __name__ == "__main__":
    sys.exit(main())
