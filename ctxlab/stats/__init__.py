"""Honest statistics: intervals over conversations, paired tests, corrections, a sentence."""

from __future__ import annotations

from ctxlab.stats.compare import Comparison, Verdict, compare_paired
from ctxlab.stats.intervals import Interval, cluster_bootstrap, paired_bootstrap
from ctxlab.stats.margins import Bound, equivalent, non_inferiority
from ctxlab.stats.scores import krippendorff_alpha, skill
from ctxlab.stats.tests import Permutation, holm, mcnemar, paired_permutation, wilcoxon

__all__ = [
    "Bound",
    "Comparison",
    "Interval",
    "Permutation",
    "Verdict",
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
