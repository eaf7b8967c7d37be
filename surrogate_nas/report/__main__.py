"""``python -m surrogate_nas.report``: the command line of ``surrogate_nas.cli.report``."""

import sys

from surrogate_nas.cli.report import main

if __name__ == "__main__":
    sys.exit(main())
