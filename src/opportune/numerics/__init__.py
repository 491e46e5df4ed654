"""Pure array functions: links, losses, hazards, shrinkage, folds, bootstrap and keyed randomness."""

from opportune.numerics.asymptotic_sequence import asymptotic_radius
from opportune.numerics.bootstrap import bootstrap_totals, cluster_sums, code_sums, percentile_interval
from opportune.numerics.clustered_mean import NORMAL_975, clustered_mean
from opportune.numerics.clusters import cluster_codes
from opportune.numerics.day_count import DayCount, year_fraction, year_fractions
from opportune.numerics.folds import keyed_folds
from opportune.numerics.hazards import hazards_of, incidences, open_at_end, open_at_start
from opportune.numerics.jackknife import jackknife_variance
from opportune.numerics.keyed import generator, keyed_uniform
from opportune.numerics.links import expit, logit
from opportune.numerics.losses import auc, log_loss, mid_ranks, row_log_loss

__all__ = [
    "NORMAL_975",
    "DayCount",
    "asymptotic_radius",
    "auc",
    "bootstrap_totals",
    "cluster_codes",
    "cluster_sums",
    "clustered_mean",
    "code_sums",
    "expit",
    "generator",
    "hazards_of",
    "incidences",
    "jackknife_variance",
    "keyed_folds",
    "keyed_uniform",
    "log_loss",
    "logit",
    "mid_ranks",
    "open_at_end",
    "open_at_start",
    "percentile_interval",
    "row_log_loss",
    "year_fraction",
    "year_fractions",
]
