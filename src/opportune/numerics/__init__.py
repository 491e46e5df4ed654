"""Pure array functions: links, losses, hazards, shrinkage, folds, bootstrap and keyed randomness."""

from opportune.numerics.bootstrap import bootstrap_totals, cluster_sums, percentile_interval
from opportune.numerics.day_count import DayCount, year_fraction, year_fractions
from opportune.numerics.folds import keyed_folds
from opportune.numerics.hazards import hazards_of, incidences, open_at_end, open_at_start
from opportune.numerics.jackknife import jackknife_variance
from opportune.numerics.keyed import generator, keyed_uniform
from opportune.numerics.links import expit, logit
from opportune.numerics.losses import auc, log_loss, mid_ranks, row_log_loss

__all__ = [
    "DayCount",
    "auc",
    "bootstrap_totals",
    "cluster_sums",
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
