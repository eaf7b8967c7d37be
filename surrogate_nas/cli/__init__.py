"""Command lines."""

import os
import sys

_main = getattr(sys.modules["__main__"], "__spec__", None)
_home = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# ``python -m`` imports from the working folder first, which may be somebody else's run folder with a ``typer.py`` in
# it. Before anything but the modules that Python itself begins with is imported, the folder is left out, unless it is
# where this package lies.
if _main is not None and _main.name.startswith("surrogate_nas.") and sys.path[:1] == [os.getcwd()] != [_home]:
    del sys.path[0]
