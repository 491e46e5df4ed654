"""The frontier of every kind of limit: what is varied, what its price says, and what is refused."""

import msgspec
import numpy as np
import pytest
from test_allocation_oracles import instance

from opportune.allocation import allocate, frontier, told_as_one
from opportune.domain import BadInput, Limit, Reserved

SHOPS = ("north", "south", "west")
LENT = Limit(name="lent", uses="lent", at_most=16_000.0)


def shops(count=400):
    candidates = instance(count, 3, 5)
    shop = np.array(SHOPS, dtype=object)[np.arange(count) % 7 % 3]
    return msgspec.structs.replace(candidates, attributes={"shop": shop})


@pytest.mark.parametrize(
    ("limit", "bounds", "relaxed"),
    [
        (Limit(name="it", uses="contacts", by="shop", at_most=1.0), [10.0, 30.0, 60.0], 1.0),
        (Limit(name="it", uses="contacts", at_most=1.0, at_least=20.0), [20.0, 100.0, 300.0], 1.0),
        (Limit(name="it", uses="contacts", at_least=1.0), [150.0, 250.0, 350.0], -1.0),
        (Limit(name="it", uses="contacts", by="shop", at_least=1.0), [30.0, 60.0, 90.0], -1.0),
        (Limit(name="it", uses="contacts", by="shop", within=1.0), [0.0, 0.02, 0.05], 1.0),
    ],
)
def test_no_bound_is_worth_more_than_its_neighbours_price_says(limit, bounds, relaxed):
    """The price is the slope of a concave curve: on the line through any point lies no other, whatever is varied."""
    points = frontier(shops(), [LENT, limit], "it", bounds)
    assert points[0].price > 0.0 or points[-1].price > 0.0
    for here in points:
        for there in points:
            assert there.value <= here.bound + relaxed * here.price * (there.limit - here.limit) + 1e-6
    kept = [point.used - point.limit for point in points if limit.by is None]
    assert all(relaxed * over <= 1e-6 for over in kept)


@pytest.mark.parametrize(
    "limit",
    [
        Limit(name="it", uses="loss", per="lent", at_most=0.05),
        Limit(name="it", uses="contacts", at_least=200.0),
        Limit(name="it", uses="contacts", at_most=90.0, at_least=30.0),
        Limit(name="it", uses="contacts", by="shop", at_most=20.0),
        Limit(name="it", uses="loss", per="lent", by="shop", at_most=0.07),
        Limit(name="it", uses="contacts", by="shop", within=0.02),
    ],
)
def test_a_point_of_the_frontier_is_the_plan_under_that_bound(limit):
    field = next(name for name in ("at_most", "at_least", "within") if getattr(limit, name) is not None)
    bound = getattr(limit, field)
    other = msgspec.structs.replace(limit, **{field: 2.0 * bound})
    (point,) = frontier(shops(), [LENT, other], "it", [bound])
    plan = allocate(shops(), [LENT, limit])
    assert (point.value, point.bound) == (plan.certificate.value, plan.certificate.bound)
    assert (point.used, point.price) == told_as_one(plan, "it")


def test_what_several_rows_use_is_their_sum_and_of_ratios_the_row_nearest_to_the_bound():
    candidates = shops()
    rows = allocate(candidates, [Limit(name="it", uses="contacts", by="shop", at_most=20.0)]).certificate.rows
    (point,) = frontier(candidates, [Limit(name="it", uses="contacts", by="shop", at_most=9.0)], "it", [20.0])
    assert point.used == sum(row.used for row in rows) == 60.0
    assert point.price == pytest.approx(sum(row.price for row in rows))
    (ratio,) = frontier(
        candidates, [LENT, Limit(name="it", uses="loss", per="lent", by="shop", at_most=1.0)], "it", [0.05]
    )
    assert 0.049 < ratio.used <= 0.05 + 1e-9


def test_what_is_reserved_is_not_planned_at_any_point():
    limit = Limit(name="it", uses="contacts", at_most=1.0)
    (point,) = frontier(shops(), [limit], "it", [50.0], reserved={"it": Reserved(margin=10.0)})
    assert point.used == 40.0


@pytest.mark.parametrize(
    ("limit", "name", "bounds", "code", "words"),
    [
        ({"at_most": 5.0}, "contcts", [1.0], "OP804", "Did you mean contacts?"),
        ({"by": "shop", "amounts": dict.fromkeys(SHOPS, 1.0)}, "contacts", [1.0], "OP514", "at_most in place of"),
        ({"by": "shop", "within": 0.1}, "contacts", [0.1, -0.1], "OP514", "zero or more"),
    ],
)
def test_a_frontier_that_cannot_be_drawn_says_what_to_do(limit, name, bounds, code, words):
    with pytest.raises(BadInput) as refused:
        frontier(shops(), [Limit(name="contacts", uses="contacts", **limit)], name, bounds)
    (finding,) = refused.value.findings
    assert finding.code == code
    assert words in finding.text()
