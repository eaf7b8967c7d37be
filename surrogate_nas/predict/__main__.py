"""``python -m surrogate_nas.predict``: the command line of ``surrogate_nas.cli.predict``."""

import sys

from surrogate_nas.cli.predict import main

if __name__ == "__main__":
    sys.exit(main())
