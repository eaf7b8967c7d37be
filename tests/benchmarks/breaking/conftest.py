"""A run of the smallest study, with the training of its answer, for tests that take minutes."""

from pathlib import Path

import pytest

from benchmarks.breaking.kills import Campaign


@pytest.fixture(scope="session")
def broken_campaign(tmp_path_factory: pytest.TempPathFactory) -> Campaign:
    """Returns a campaign whose undisturbed runs are there."""
    campaign = Campaign(tmp_path_factory.mktemp("campaign"), seed=0)
    campaign.prepare()
    return campaign


@pytest.fixture(scope="session")
def broken_run(broken_campaign: Campaign) -> Path:
    """Returns its finished run; do not change it."""
    return broken_campaign.trained
