"""Decides which members of a plan evaluate which architectures, so that labels are on one scale."""

import numpy as np
from numpy.typing import NDArray

from surrogate_nas.space.space import Codes
from surrogate_nas.supernet.plan import PARENTS, SupernetPlan
from surrogate_nas.supernet.rules.label_scale import NOBODY, Ballot, at_least

_STREAM = 900_000  # of random draws of the plan's seed
_DRAWS = 50  # for one architecture that is needed


def ballot_of(plan: SupernetPlan, codes: Codes) -> Ballot:
    """Returns who evaluates architectures, and how labels follow: by their members, on the scale of all.

    Args:
        plan: With its subspaces decided.
        codes: Shape (N, D); the ballot has their effective codes once, and the ones that a scale is taken from.

    Raises:
        SettingsError: If the subspaces are not decided.
    """
    settings, scale, space = plan.settings, plan.rules.scale, plan.space
    effective = np.unique(space.effective(codes), axis=0)
    if not (scale.shifts or settings.label_both):
        return Ballot(effective, plan.members_of(effective)[:, :, None], np.zeros(len(effective), dtype=np.int64))
    anchors = _anchors(plan) if scale.shifts else effective[:0]
    every = np.unique(np.concatenate([effective, anchors]), axis=0)
    own, common = plan.members_of(every)[:, :, None], _common_of(plan, every)
    groups = scale.groups(space, plan.split, every)
    apart = plan.member_of(every) < plan.members_per_replica - settings.parent_keeps
    asked = np.isin(space.digits(every), space.digits(anchors)) | settings.label_both
    if scale.shifts:
        asked = at_least(settings.scale_architectures, asked, np.where(apart, groups, NOBODY))
    common = np.where((asked & apart)[:, None, None], common, NOBODY)
    return Ballot(every, np.concatenate([own, common], axis=2), groups, settings.label_both)


def _common_of(plan: SupernetPlan, codes: Codes) -> NDArray[np.int64]:
    """Returns the members whose mean is the scale of each code, in every replica, shape (N, R, C)."""
    settings, groups = plan.settings, plan.members_per_replica
    replicas = np.arange(plan.repetitions)
    if not settings.share_before_split:
        all_members = groups * replicas[:, None] + np.arange(groups)
        return np.broadcast_to(all_members, (len(codes), *all_members.shape))
    if settings.parent_keeps:  # the last member's weights are the parent's
        last = groups * (replicas + 1) - 1
        return np.broadcast_to(last[:, None], (len(codes), len(last), 1))
    parents = len(plan.phases[-2]) // plan.repetitions
    of_each = plan.member_of(codes) * parents // groups
    return PARENTS + of_each[:, None, None] + parents * replicas[:, None]


def _anchors(plan: SupernetPlan) -> Codes:
    """Returns effective codes that a scale is taken from: as many of every group as the settings ask for."""
    settings, scale, space = plan.settings, plan.rules.scale, plan.space
    rng = np.random.default_rng(plan.seed_of(_STREAM))
    kept: list[Codes] = []
    for subspace in range(plan.split.groups - settings.parent_keeps):
        drawn = space.effective(plan.split.sample(subspace, _DRAWS * settings.scale_architectures, rng))
        _, first = np.unique(drawn, axis=0, return_index=True)
        drawn = drawn[np.sort(first)]
        of_each = scale.groups(space, plan.split, drawn)
        kept += [drawn[of_each == group][: settings.scale_architectures] for group in np.unique(of_each)]
    return np.concatenate(kept)
