"""``python -m surrogate_nas.lookup``: the command line of ``surrogate_nas.cli.lookup``."""

import sys

from surrogate_nas.cli.lookup import main

if __name__ == "__main__":
    sys.exit(main())
