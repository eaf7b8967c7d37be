"""``python -m surrogate_nas.hardware``: the command line of ``surrogate_nas.cli.hardware``."""

import sys

from surrogate_nas.cli.hardware import main

if __name__ == "__main__":
    sys.exit(main())
