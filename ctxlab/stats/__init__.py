"""Honest statistics: intervals over conversations, paired tests, families, power, a sentence."""

from __future__ import annotations

from ctxlab.stats.clustered import Clustered, Weights
from ctxlab.stats.comparison import Comparison, Verdict, compare_paired
from ctxlab.stats.families import Family, holm
from ctxlab.stats.intervals import Interval, cluster_interval
from ctxlab.stats.margins import Bound, equivalent, non_inferiority
from ctxlab.stats.paired import PairedSample, PairedTest, paired_interval, paired_test
from ctxlab.stats.power import conversations_needed, minimum_detectable_difference
from ctxlab.stats.rank_tests import mcnemar, wilcoxon
from ctxlab.stats.replicates import Spread, spread
from ctxlab.stats.scores import krippendorff_alpha, skill

__all__ = [
    "Bound",
    "Clustered",
    "Comparison",
    "Family",
    "Interval",
    "PairedSample",
    "PairedTest",
    "Spread",
    "Verdict",
    "Weights",
    "cluster_interval",
    "compare_paired",
    "conversations_needed",
    "equivalent",
    "holm",
    "krippendorff_alpha",
    "mcnemar",
    "minimum_detectable_difference",
    "non_inferiority",
    "paired_interval",
    "paired_test",
    "skill",
    "spread",
    "wilcoxon",
]
