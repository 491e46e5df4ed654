"""Competing risks in discrete time: hazards, survival and cumulative incidences.

Two events end a spell, here default and full prepayment. With hazards d_t and q_t, the probabilities of each event in
period t given that the spell is open at its start,

    open_t      = prod_(u < t) (1 - d_u - q_u)          open at the start of period t
    incidence_t = open_t d_t   and   open_t q_t         the event falls in period t
    sum_(u <= t) (open_u d_u + open_u q_u) + open_(t+1) = 1.

Source: Kalbfleisch and Prentice (2002), The Statistical Analysis of Failure Time Data, section 8.2, in discrete time.
Periods are the last axis of every array; leading axes broadcast.
"""

import numpy as np


def open_at_start(*hazards: np.ndarray) -> np.ndarray:
    """Return P(open at the start of each period), shape (..., T), given the hazards (..., T) of all events."""
    stay = 1.0 - sum(hazards, start=np.zeros(1))
    return np.concatenate([np.ones_like(stay[..., :1]), np.cumprod(stay[..., :-1], axis=-1)], axis=-1)


def open_at_end(*hazards: np.ndarray) -> np.ndarray:
    """Return P(open at the end of each period), shape (..., T): survival."""
    return np.asarray(np.cumprod(1.0 - sum(hazards, start=np.zeros(1)), axis=-1))


def incidences(*hazards: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return, for each event, P(it falls in each period), shape (..., T)."""
    opened = open_at_start(*hazards)
    return tuple(opened * hazard for hazard in hazards)


def hazards_of(*given: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return the hazards (..., T) of incidences (..., T): the inverse of ``incidences``.

    NaN where nothing is left open: no hazard can be told from incidences there.
    """
    total = np.cumsum(sum(given, start=np.zeros(1)), axis=-1)
    opened = np.concatenate([np.ones_like(total[..., :1]), 1.0 - total[..., :-1]], axis=-1)
    # Sums of float64 miss 1 by rounding, and a hazard of rounding over rounding would mean nothing.
    left = np.where(opened > 1e-12, opened, np.nan)
    return tuple(each / left for each in given)


def conditional(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return P(second event | not the first) in each period, (..., T); zero where the first is certain.

    The likelihood of counts of competing events is Binomial(n, first) x Binomial(n - firsts, conditional): with it each
    hazard can be estimated by itself, and no pair sums above one.
    """
    left = 1.0 - first
    return np.where(left > 0.0, second / np.where(left > 0.0, left, 1.0), 0.0)


def unconditional(first: np.ndarray, given_not_first: np.ndarray) -> np.ndarray:
    """Return the hazard of the second event (..., T): the inverse of ``conditional``."""
    return np.asarray((1.0 - first) * given_not_first)
