"""Photos for benchmarks: two classes that differ in brightness; and the smallest study, for tests that take minutes."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.breaking.kills import Campaign


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder with ``train/`` and ``test/`` of 8x8 pixels."""
    rng = np.random.default_rng(0)
    for part, count in (("train", 80), ("test", 12)):
        for name in ("dark", "light"):
            folder = tmp_path / "photos" / part / name
            folder.mkdir(parents=True)
            for number in range(count):
                pixels = rng.integers(0, 120, (8, 8, 3)) + (135 if name == "light" else 0)
                Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{number}.png")
    return tmp_path / "photos"


@pytest.fixture(scope="session")
def broken_campaign(tmp_path_factory: pytest.TempPathFactory) -> Campaign:
    """Returns a campaign of kills, whose undisturbed study and training are there."""
    campaign = Campaign(tmp_path_factory.mktemp("campaign"), seed=0)
    campaign.prepare()
    return campaign


@pytest.fixture(scope="session")
def broken_run(broken_campaign: Campaign) -> Path:
    """Returns its finished run; do not change it."""
    return broken_campaign.trained
