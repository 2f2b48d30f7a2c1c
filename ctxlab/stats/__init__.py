"""Honest statistics: intervals over conversations, paired tests, corrections, a sentence."""

from __future__ import annotations

from ctxlab.stats.compare import Comparison, compare_paired
from ctxlab.stats.intervals import Interval, cluster_bootstrap, paired_bootstrap
from ctxlab.stats.paired import (
    Bound,
    Permutation,
    equivalent,
    holm,
    krippendorff_alpha,
    mcnemar,
    non_inferiority,
    paired_permutation,
    skill,
    wilcoxon,
)

__all__ = [
    "Bound",
    "Comparison",
    "Interval",
    "Permutation",
    "cluster_bootstrap",
    "compare_paired",
    "equivalent",
    "holm",
    "krippendorff_alpha",
    "mcnemar",
    "non_inferiority",
    "paired_bootstrap",
    "paired_permutation",
    "skill",
    "wilcoxon",
]
