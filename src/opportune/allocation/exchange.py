"""Exchange: better whole choices by changing one or two opportunities at a time, all pairs looked at.

With whole choices a plan loses what its rows leave unused and what its customers lose against their best offer. Among
a few thousand small changes there are millions of pairs, and the best pair usually fits the rows almost exactly: what
branch and bound finds slowly, because such programmes are all ties.
"""

import msgspec
import numpy as np

from opportune.allocation._kernels import best_pairs
from opportune.allocation.core import opened, with_pairs
from opportune.allocation.pool import customers_of
from opportune.allocation.problem import Problem
from opportune.allocation.shares import Shares, use_of, value_of

MOVES = 1_500
ROUNDS = 40
TOLL = 1e6
"""Scaled value charged per scaled unit by which a hard row is passed: more than any move can gain."""
LEAST_GAIN = 1e-12


class Moves(msgspec.Struct, frozen=True):
    """Changes of one copy each (N,): whose, from which offer (-1: none) to which, the gain (N,) in scaled value, the
    ``change`` (N, 1 + R) of value and uses, the ``loss`` (N,) at the prices, rising, and the ``effect`` (N, m) on the
    scaled rows.
    """

    row: np.ndarray
    leaves: np.ndarray
    takes: np.ndarray
    change: np.ndarray
    loss: np.ndarray
    effect: np.ndarray


def exchanged(
    problem: Problem, prices: np.ndarray, shares: Shares, near: np.ndarray, enough: float, tightened: np.ndarray
) -> Shares:
    """Return whole shares that single and paired changes of the ``near`` rows no longer improve.

    Stops early at a mean value of ``enough``. Rows passed by the shares given are mended first, whatever that costs.
    """
    toll = np.where(np.isfinite(problem.cap), problem.cap, TOLL)
    for _ in range(ROUNDS):
        slack = problem.size * (problem.b - tightened - use_of(problem, shares))
        merit = float(np.sum(toll * np.minimum(slack, 0.0)))
        if value_of(problem, shares) >= enough and np.all(slack >= 0.0):
            return shares
        moves = _moves(problem, prices, shares, near)
        if not len(moves.row):
            return shares
        customer = customers_of(problem.pool.first, moves.row)
        room = float(np.sum(prices * slack))
        gain = np.ascontiguousarray(moves.change[:, 0])
        found, partner = best_pairs(gain, moves.loss, moves.effect, customer, slack, toll, room, merit + LEAST_GAIN)
        best = int(np.argmax(found))
        if found[best] <= merit + LEAST_GAIN:
            return shares
        made = [best] if partner[best] < 0 else [best, int(partner[best])]
        for move in made:
            shares = _changed(problem, shares, moves, move)
    return shares


def neighbour(
    problem: Problem, prices: np.ndarray, shares: Shares, near: np.ndarray, number: int
) -> tuple[np.ndarray, Shares]:
    """Return the shares after the change that loses least but for ``number`` others, and whose it is.

    The change may break rows.
    """
    moves = _moves(problem, prices, shares, near)
    if not len(moves.row):
        return moves.row, shares
    move = number % len(moves.row)
    return moves.row[[move]], _changed(problem, shares, moves, move)


def _moves(problem: Problem, prices: np.ndarray, shares: Shares, near: np.ndarray) -> Moves:
    """Return the changes of near rows that lose least at the prices."""
    rest, offers = opened(problem, shares, near)
    del rest
    holder, held = _holdings(problem, shares, near)
    eligible = np.isfinite(offers[:, 0])
    options = np.column_stack([eligible, np.ones(len(near), dtype=bool)])[holder]
    options[np.arange(len(holder)), held] = False
    options[:, :-1] &= ~(_full(problem, shares, near)[holder] & (held < 0))[:, None]
    which, takes = np.nonzero(options)
    at, leaves = holder[which], held[which]
    takes = np.where(takes == offers.shape[2], -1, takes)
    change = _layer(offers, at, takes) - _layer(offers, at, leaves)
    cell = problem.pool.cell[near[at]]
    loss = np.einsum("qr,qr->q", problem.charges(prices)[cell], change[:, 1:]) - change[:, 0]
    kept = np.argsort(loss, kind="stable")[:MOVES]
    effect = problem.rows_of_offers(cell[kept], change[kept, 1:]).T.toarray()
    return Moves(near[at[kept]], leaves[kept], takes[kept], change[kept], loss[kept], np.ascontiguousarray(effect))


def _holdings(problem: Problem, shares: Shares, near: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return each position in ``near`` with an offer (or -1) that at least one of its copies holds."""
    inside = np.isin(shares.row, near) & (shares.amount > 0.5)
    holder, held = np.searchsorted(near, shares.row[inside]), shares.offer[inside]
    in_pairs = np.bincount(holder, shares.amount[inside], len(near))
    alone = np.flatnonzero((in_pairs < problem.pool.copies[near] - 0.5) | (shares.choice[near] >= 0))
    return np.concatenate([holder, alone]), np.concatenate([held, shares.choice[near[alone]]])


def _full(problem: Problem, shares: Shares, near: np.ndarray) -> np.ndarray:
    """Return whether the customer of each near row has all the offers that it may get, over several opportunities."""
    first = problem.pool.first
    customer = customers_of(first, near)
    offered = (shares.choice[near] >= 0).astype(np.float64)
    inside = np.isin(shares.row, near)
    offered += np.bincount(np.searchsorted(near, shares.row[inside]), shares.amount[inside], len(near))
    _, owner = np.unique(customer, return_inverse=True)
    total = np.bincount(owner, offered)[owner]
    return np.asarray((np.diff(first)[customer] > problem.most) & (total > problem.most - 0.5))


def _layer(offers: np.ndarray, at: np.ndarray, offer: np.ndarray) -> np.ndarray:
    """Return value and uses (q, 1 + R) of one offer each; zero for none."""
    amounts = offers[at, :, np.maximum(offer, 0)].astype(np.float64)
    amounts[offer < 0] = 0.0
    return amounts


def _changed(problem: Problem, shares: Shares, moves: Moves, move: int) -> Shares:
    """Return the shares with one copy of a row moved to another offer."""
    row, leaves, takes = int(moves.row[move]), int(moves.leaves[move]), int(moves.takes[move])
    rest, offers = opened(problem, shares, np.array([row]))
    amounts = dict.fromkeys(range(offers.shape[2]), 0.0)
    if shares.choice[row] >= 0:
        amounts[int(shares.choice[row])] = float(problem.pool.copies[row])
    for offer, amount in zip(shares.offer[shares.row == row], shares.amount[shares.row == row], strict=True):
        amounts[int(offer)] += float(amount)
    if leaves >= 0:
        amounts[leaves] -= 1.0
    if takes >= 0:
        amounts[takes] += 1.0
    held = np.array([offer for offer, amount in amounts.items() if amount > 0.0], dtype=np.int64)
    given = np.array([amounts[offer] for offer in held.tolist()])
    return with_pairs(problem, rest, np.full(len(held), row), held, given, offers[0, :, held].astype(np.float64))
