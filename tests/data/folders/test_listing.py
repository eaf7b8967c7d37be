"""A hash of a folder changes with its files."""

import os
import shutil
from pathlib import Path

import pytest

from surrogate_nas.data.folders.listing import listing


@pytest.mark.posix
def test_a_listing_tells_files_apart(mixed_images: Path, tmp_path: Path) -> None:
    source = Path(shutil.copytree(mixed_images, tmp_path / "source"))
    known = {listing("folder", str(source))}
    victim = next((source / "dark").iterdir())
    os.utime(victim, (0, 0))
    known.add(listing("folder", str(source)))
    victim.rename(source / "dark" / "renamed.png")
    known.add(listing("folder", str(source)))
    (source / "dark" / "renamed.png").unlink()
    known.add(listing("folder", str(source)))
    (source / "dark" / "nowhere.png").symlink_to(source / "missing")
    assert len(known) == 4
    assert listing("folder", str(source)) in known
    assert listing("digits", None) is None
    shutil.rmtree(source)
    assert listing("folder", str(source)) is None
