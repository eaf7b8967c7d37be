"""``python -m surrogate_nas``: the console command ``surrogate-nas``."""

import sys

from surrogate_nas.cli.start import main

if __name__ == "__main__":
    sys.exit(main())
