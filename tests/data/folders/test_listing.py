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


@pytest.mark.posix
def test_a_change_behind_a_link_is_seen_and_one_of_a_hidden_file_is_not(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.png").write_bytes(b"a")
    folder = tmp_path / "images"
    folder.mkdir()
    (folder / "cat").symlink_to(tmp_path / "real")
    (folder / "up").symlink_to(tmp_path)
    before = listing("folder", str(folder))
    (folder / ".hidden").write_bytes(b"b")
    assert listing("folder", str(folder)) == before
    (tmp_path / "real" / "a.png").write_bytes(b"ab")
    assert listing("folder", str(folder)) != before
