"""Every kind of row against an exact solver that is given the whole programme, written anew here."""

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import csr_matrix, hstack, kron, vstack

from opportune.allocation import allocate, certify, core
from opportune.domain import BadInput, BrokenPromise, Candidates, Limit, OpportuneError, places_of

START = np.datetime64("2026-01-05T10:00", "us")


def instance(count, offers, seed, customers=None):
    rng = np.random.default_rng(seed)
    shape = (count, offers)
    eligible = rng.random(shape) < 0.85
    lent = rng.gamma(2.0, 50.0, shape)
    uses = {
        "contacts": np.ones(shape),
        "lent": lent,
        "loss": lent * rng.beta(1.0, 12.0, shape) - rng.choice([0.0, 3.0]),
    }
    ids = np.array([f"o{i:04d}" for i in range(count)], dtype=object)
    owner = ids if customers is None else np.array([f"c{i}" for i in rng.integers(0, customers, count)], dtype=object)
    return Candidates(
        opportunity_id=ids, customer_id=owner, slot=ids, offer_ids=tuple(f"k{k}" for k in range(offers)),
        eligible=eligible, value=np.where(eligible, rng.normal(4.0, 10.0, shape), 0.0),
        uses={name: np.where(eligible, amounts, 0.0) for name, amounts in uses.items()}, currency="USD",
        attributes={
            "surface": rng.choice(np.array(["app", "mail", "web"], dtype=object), count),
            "merchant": rng.choice(np.array([f"m{m}" for m in range(5)], dtype=object), count),
            "score": np.round(rng.uniform(0, 1, count), 2),
            "at": START + rng.integers(0, 40, count).astype("timedelta64[D]"),
        },
    )  # fmt: skip


def kinds_of(count):
    """Return limits of every kind, each sized so that it can bind."""
    return {
        "sum": Limit(name="sum", uses="contacts", at_most=np.floor(0.4 * count)),
        "ratio": Limit(name="ratio", uses="loss", per="lent", at_most=0.06),
        "floor": Limit(name="floor", uses="contacts", at_least=np.floor(0.1 * count)),
        "both": Limit(name="both", uses="lent", at_least=2.0 * count, at_most=20.0 * count),
        "soft": Limit(name="soft", uses="contacts", at_most=np.floor(0.2 * count), soft_price=6.0),
        "where": Limit(name="where", uses="lent", at_most=4.0 * count, where="surface = 'app' AND score >= 0.25"),
        "where in": Limit(name="in", uses="lent", at_most=9.0 * count, where="surface IN ('app', 'web')"),
        "by": Limit(name="by", uses="lent", by="merchant", at_most=5.0 * count),
        "amounts": Limit(
            name="amounts", uses="lent", by="merchant", amounts={f"m{m}": (1.0 + m) * count for m in range(5)}
        ),
        "period": Limit(name="period", uses="contacts", period="week", at_most=np.ceil(0.08 * count)),
        "by period": Limit(
            name="by period", uses="contacts", by="surface", period="month", at_most=np.ceil(0.15 * count)
        ),
        "quarter": Limit(name="quarter", uses="lent", period="quarter", at_most=15.0 * count),
        "opening": Limit(
            name="opening", uses="lent", by="surface", at_most=12.0 * count, opening={"app": 6.0 * count, "mail": 2.0 * count}
        ),
        "ratio by": Limit(name="ratio by", uses="loss", per="lent", by="surface", at_most=0.08, opening_per={"app": 50.0}),
        "within": Limit(name="within", uses="contacts", by="surface", within=0.08),
    }  # fmt: skip


def label_of(limit, attributes, i):
    """Return the value that an opportunity has in a limit, None where the limit is not about it."""
    given = {name: values[i] for name, values in attributes.items()}
    if limit.where is not None and not eval_where(limit.where, given):
        return None
    parts = [] if limit.by is None else [str(given[limit.by])]
    day = given["at"].astype("datetime64[D]").item()
    if limit.period == "week":
        parts.append(str(np.datetime64(day) - np.timedelta64(day.weekday(), "D")))
    if limit.period == "month":
        parts.append(f"{day:%Y-%m}")
    if limit.period == "quarter":
        parts.append(f"{day.year}-Q{(day.month + 2) // 3}")
    return ", ".join(parts)


def eval_where(text, given):
    return {
        "surface = 'app' AND score >= 0.25": given["surface"] == "app" and given["score"] >= 0.25,
        "surface IN ('app', 'web')": given["surface"] in ("app", "web"),
    }[text]


def programme(candidates, limits, most=None):
    """Return cost, rows, upper bounds and highest values of the whole programme over (opportunity, offer) columns."""
    count, offers = candidates.value.shape
    rows, upper, prices = [], [], []
    for limit in limits:
        labels = [label_of(limit, candidates.attributes, i) for i in range(count)]
        about_any = np.array([label is not None for label in labels])
        for label in sorted({each for each in labels if each is not None}):
            about = np.array([each == label for each in labels])
            uses, per = candidates.uses[limit.uses], candidates.uses.get(limit.per)
            opening = limit.opening.get(label, 0.0) if isinstance(limit.opening, dict) else limit.opening or 0.0
            below = (
                limit.opening_per.get(label, 0.0) if isinstance(limit.opening_per, dict) else limit.opening_per or 0.0
            )
            sides = [(1.0, limit.at_most), (-1.0, limit.at_least)]
            if limit.amounts is not None:
                sides.append((1.0, limit.amounts[label]))
            if limit.within is not None:
                share = about / about.sum() - about_any / about_any.sum()
                rows += [(share[:, None] * uses).ravel(), (-share[:, None] * uses).ravel()]
                upper += [limit.within, limit.within]
                prices += [None, None]
            for sign, bound in sides:
                if bound is not None:
                    row = uses if per is None else uses - bound * per
                    rows.append(sign * (about[:, None] * row).ravel())
                    upper.append(sign * ((bound if per is None else bound * below) - opening))
                    prices.append(limit.soft_price)
    soft = [r for r, price in enumerate(prices) if price is not None]
    overflow = csr_matrix((-np.ones(len(soft)), (soft, np.arange(len(soft)))), shape=(len(rows), len(soft)))
    of_rows = hstack([csr_matrix(np.array(rows).reshape(len(rows), count * offers)), overflow])
    parts, tops = [of_rows, sums_over(np.arange(count), offers, len(soft))], [*upper, *np.ones(count)]
    if most is not None:
        owners, owner = np.unique(candidates.customer_id.astype(str), return_inverse=True)
        parts.append(sums_over(owner, offers, len(soft)))
        tops += [float(most)] * len(owners)
    cost = np.concatenate([-candidates.value.ravel(), [prices[r] for r in soft]])
    highest = np.concatenate([candidates.eligible.ravel().astype(float), np.full(len(soft), np.inf)])
    whole = np.array([1] * (count * offers) + [0] * len(soft))
    return cost, vstack(parts).tocsr(), np.array(tops), highest, whole


def sums_over(group, offers, soft):
    """Return one row per group, which counts its offers."""
    belongs = csr_matrix((np.ones(len(group)), (group, np.arange(len(group)))))
    return hstack([kron(belongs, np.ones((1, offers))), csr_matrix((belongs.shape[0], soft))])


def exact(candidates, limits, most=None):
    cost, matrix, upper, highest, whole = programme(candidates, limits, most)
    return milp(
        cost, constraints=LinearConstraint(matrix, ub=upper), bounds=Bounds(0.0, highest), integrality=whole,
        options={"mip_rel_gap": 1e-5, "time_limit": 20.0},
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(200))
def test_two_hundred_lists_with_every_kind_of_row(seed):
    rng = np.random.default_rng(seed)
    count = int(rng.choice([5, 8, 15, 30, 60, 200], p=[0.2, 0.2, 0.25, 0.2, 0.13, 0.02]))
    most = int(rng.integers(1, 3)) if rng.random() < 0.35 else None
    candidates = instance(count, int(rng.integers(1, 4)), seed, customers=None if most is None else max(count // 2, 1))
    known = kinds_of(count)
    limits = [known[name] for name in rng.choice(list(known), int(rng.integers(1, 5)), replace=False)]
    found = exact(candidates, limits, most)
    if found.status == 2:
        with pytest.raises(BrokenPromise):
            allocate(candidates, limits, offers_per_customer=most)
        return
    assert found.x is not None
    best, proof = -found.fun, allocate(candidates, limits, offers_per_customer=most).certificate
    highest = -found.mip_dual_bound
    size = max(abs(best), 1.0)
    assert proof.bound >= best - 1e-6 * size
    assert proof.value <= highest + 1e-6 * size
    assert all(row.soft or row.slack >= -1e-6 for row in proof.rows)
    assert proof.value >= best - max(1.05e-4 * max(abs(proof.bound), 1.0), proof.bound - best) - 1e-6


MANY = 3_000
"""More opportunities than the first core of three rows holds."""


@pytest.mark.parametrize("seed", range(8))
def test_lists_larger_than_a_core_reach_the_optimum_of_the_whole_linear_programme(seed):
    rng = np.random.default_rng(seed)
    most = int(rng.integers(1, 3)) if seed % 2 else None
    candidates = instance(MANY, 3, seed, customers=None if most is None else MANY // 2)
    known = kinds_of(MANY)
    limits = [known[name] for name in rng.choice(list(known), 3, replace=False)]
    cost, matrix, upper, highest, _ = programme(candidates, limits, most)
    found = linprog(cost, A_ub=matrix, b_ub=upper, bounds=np.column_stack([np.zeros(len(highest)), highest]))
    proof = allocate(candidates, limits, offers_per_customer=most).certificate
    assert found.status == 0
    assert proof.bound == pytest.approx(-found.fun, rel=1e-9)
    assert proof.gap <= 1e-3


def test_limits_that_cannot_hold_together_are_found_on_a_list_larger_than_a_core():
    candidates = instance(MANY, 3, 1)
    cheapest = np.sort(np.where(candidates.eligible, candidates.uses["lent"], np.inf).min(axis=1))[: MANY // 2].sum()
    floor = Limit(name="floor", uses="contacts", at_least=MANY // 2)
    for share, holds in ((0.9999, False), (1.0001, True)):
        limits = [floor, Limit(name="money", uses="lent", at_most=share * cheapest), kinds_of(MANY)["by"]]
        if holds:
            assert all(row.slack >= -1e-6 for row in allocate(candidates, limits).certificate.rows)
        else:
            with pytest.raises(BrokenPromise) as told:
                allocate(candidates, limits)
            assert "floor" in str(told.value)
            assert "money" in str(told.value)


def test_a_core_ends_though_the_solvers_tolerance_hides_the_proof(monkeypatch):
    monkeypatch.setattr(core, "PROVEN", -1.0)
    known = kinds_of(MANY)
    assert allocate(instance(MANY, 3, 2), [known["sum"], known["ratio"]]).certificate.gap <= 1e-4


def test_names_of_rows_tell_value_and_side():
    candidates = instance(40, 2, 0)
    limits = [
        Limit(name="shop", uses="lent", by="merchant", at_most=1e9, at_least=0.0),
        Limit(name="weekly", uses="contacts", period="week", at_most=1e9),
        Limit(name="even", uses="contacts", by="surface", within=1.0),
    ]
    names = [row.name for row in allocate(candidates, limits).certificate.rows]
    assert names[:2] == ["shop [m0] (at most)", "shop [m0] (at least)"]
    assert "weekly [2026-01-05]" in names
    assert names[-1] == "even [web] (at least)"
    assert len(names) == len(set(names))


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10_000))
def test_permuting_and_duplicating_change_nothing_they_should_not(seed):
    candidates = instance(60, 3, seed)
    known = kinds_of(60)
    limits = [known["sum"], known["ratio"], known["by"], known["where"]]
    plain = allocate(candidates, limits, gap=1e-2).certificate
    order = np.random.default_rng(seed).permutation(60)
    mixed = allocate(candidates.rows(order), limits, gap=1e-2).certificate
    assert mixed.bound == pytest.approx(plain.bound, rel=1e-8, abs=1e-6)
    twice = candidates.rows(np.concatenate([np.arange(60), np.arange(60)]))
    ids = np.array([f"o{i:04d}" for i in range(120)], dtype=object)
    twice = msgspec.structs.replace(twice, opportunity_id=ids, customer_id=ids)
    doubled = [msgspec.structs.replace(each, at_most=each.at_most * (1 if each.per else 2)) for each in limits]
    double = allocate(twice, doubled, gap=1e-2).certificate
    assert double.bound == pytest.approx(2.0 * plain.bound, rel=1e-8, abs=1e-6)
    assert double.value >= 2.0 * plain.value - 2e-2 * max(abs(double.bound), 1.0)


def test_a_customer_gets_no_more_offers_than_it_may_and_the_best_of_them():
    value = np.array([[5.0], [9.0], [7.0], [4.0]])
    ids = np.array(["a", "b", "c", "d"], dtype=object)
    candidates = Candidates(
        opportunity_id=ids, customer_id=np.array(["x", "y", "x", "x"], dtype=object), slot=ids, offer_ids=("k",),
        eligible=np.ones((4, 1), dtype=bool), value=value, uses={"contacts": np.ones((4, 1))}, currency="USD",
    )  # fmt: skip
    for most, expected in ((1, [-1, 0, 0, -1]), (2, [0, 0, 0, -1]), (3, [0, 0, 0, 0])):
        plan = allocate(candidates, [], offers_per_customer=most)
        assert plan.choice.tolist() == expected
        assert plan.certificate.gap == pytest.approx(0.0, abs=1e-12)
    with pytest.raises(OpportuneError, match="more than 1 offers to 1 customers"):
        certify(candidates, [], np.zeros(4, dtype=np.int64), {}, 1e-4, 0, most=1)


@pytest.mark.parametrize(
    ("limit", "says"),
    [
        (Limit(name="x", uses="lent", at_most=1.0, by="merchnat"), "OP503.*merchnat.*Did you mean merchant"),
        (Limit(name="x", uses="lent", at_most=1.0, where="surfaces = 'app'"), "OP503.*surfaces.*Did you mean surface"),
        (Limit(name="x", uses="lent", at_most=1.0, where="surface ~ 'app'"), "OP505.*no comparison"),
        (Limit(name="x", uses="lent", at_most=1.0, where="surface IN 'app'"), "OP505.*lists no values"),
        (Limit(name="x", uses="lend", at_most=1.0), "OP501.*Did you mean lent"),
    ],
)
def test_what_limits_are_about_must_exist(limit, says):
    with pytest.raises(BadInput, match=says):
        allocate(instance(10, 2, 0), [limit])


def test_no_opportunity_of_a_value_leaves_an_empty_row_that_holds():
    candidates = instance(10, 2, 0)
    proof = allocate(candidates, [Limit(name="none", uses="lent", at_most=0.0, where="surface = 'phone'")]).certificate
    assert [(row.name, row.used, row.slack) for row in proof.rows] == [("none", 0.0, 0.0)]


@pytest.mark.parametrize("ids", [[1234560, 1234561], [1000001.0, 1000002.0], [0.1, 0.1 + 1e-12], [2**53 - 1.0, 2**53]])
def test_values_that_differ_have_rows_of_their_own(ids):
    candidates = msgspec.structs.replace(
        instance(10, 2, 0), eligible=np.ones((10, 2), bool), value=np.ones((10, 2)),
        attributes={"shop": np.array(ids * 5)},
    )  # fmt: skip
    proof = allocate(candidates, [Limit(name="shops", uses="contacts", by="shop", at_most=2.0)]).certificate
    assert [row.used for row in proof.rows] == [2.0, 2.0]


def test_whole_numbers_have_one_name_in_every_column():
    limit = Limit(name="shops", uses="lent", by="shop", at_most=1.0)
    columns = (np.array([7, 1234567]), np.array([7.0, 1234567.0]), np.array(["7", "1234567"], dtype=object))
    assert {places_of([limit], [{"shop": shops}])[0].labels for shops in columns} == {("1234567", "7")}


def test_a_limit_by_a_value_has_no_row_where_its_condition_meets_nobody():
    floor = Limit(name="none", uses="lent", by="merchant", at_least=5.0, where="surface = 'phone'")
    proof = allocate(instance(10, 2, 0), [floor]).certificate
    assert (proof.status, proof.rows) == ("optimal", ())


@pytest.mark.parametrize("opening", [0.1 + 0.2, sum([0.1] * 30) / 10])
def test_an_opening_that_is_the_bound_but_for_rounding_leaves_nothing_and_breaks_nothing(opening):
    count = 40
    candidates = instance(count, 3, 4)
    full = Limit(name="full", uses="contacts", by="merchant", at_most=0.3, opening={"m0": opening})
    shut = Limit(name="shut", uses="contacts", at_most=0.0, where="merchant = 'm0'")
    beside = Limit(name="sum", uses="contacts", at_most=12.0)
    loose = msgspec.structs.replace(full, at_most=None, amounts={f"m{m}": 100.0 for m in range(5)} | {"m0": 0.3})
    ours, same = allocate(candidates, [loose, beside]), allocate(candidates, [shut, beside])
    assert ours.certificate.status == "optimal"
    assert ours.certificate.value == pytest.approx(same.certificate.value, rel=1e-4)


@pytest.mark.parametrize("bound", [-1e-6, -1e-9, -1e-12, -1e-15, 0.0])
def test_a_floor_of_next_to_nothing_changes_nothing(bound):
    candidates, sent = instance(60, 3, 5), Limit(name="sum", uses="contacts", at_most=20.0)
    slack = Limit(name="slack", uses="lent", at_least=bound)
    plain, ours = allocate(candidates, [sent]).certificate, allocate(candidates, [sent, slack]).certificate
    assert ours.status == "optimal"
    assert ours.value == pytest.approx(plain.value, rel=2e-4)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"opening": np.nan}, "opening of limit 'x' is nan"),
        ({"opening": {"m0": np.inf}}, r"opening\['m0'\] of limit 'x' is inf"),
        ({"opening_per": np.nan}, "opening_per"),
        ({"at_most": None, "amounts": {"m0": np.nan}}, r"amounts\['m0'\]"),
    ],
)
def test_a_limit_of_no_number_is_refused(fields, says):
    with pytest.raises(ValueError, match=says):
        Limit(**{"name": "x", "uses": "lent", "by": "merchant", "at_most": 1.0, **fields})


def test_the_advice_about_one_limit_holds_beside_the_others():
    candidates = instance(120, 3, 3)
    most = Limit(name="most", uses="contacts", at_most=40.0)
    with pytest.raises(BrokenPromise, match=r"OP510.*set at_least = 40"):
        allocate(candidates, [most, Limit(name="floor", uses="contacts", at_least=500.0)])
    allocate(candidates, [most, Limit(name="floor", uses="contacts", at_least=40.0)])


@pytest.mark.parametrize(
    ("limit", "other"),
    [
        ({"uses": "contacts", "by": "surface", "at_most": 3.0}, {"uses": "contacts", "at_least": 30.0}),
        ({"uses": "contacts", "by": "surface", "at_least": 45.0}, {"uses": "contacts", "at_most": 25.0}),
        ({"uses": "loss", "per": "lent", "by": "surface", "at_most": 0.01}, {"uses": "lent", "at_least": 8000.0}),
        ({"uses": "contacts", "by": "surface", "within": 0.0},
         {"uses": "contacts", "where": "surface = 'app'", "at_most": 0.0}),
    ],
)  # fmt: skip
def test_the_advice_about_a_limit_of_many_rows_is_a_bound_that_all_keep_and_hardly_more(limit, other):
    candidates = instance(60, 3, 3)
    limits = [Limit(name="many", **limit), Limit(name="other", **other)]
    if "within" in limit:
        limits.append(Limit(name="floor", uses="contacts", at_least=15.0))
    field = next(name for name in ("at_most", "at_least", "within") if name in limit)
    with pytest.raises(BrokenPromise) as refused:
        allocate(candidates, limits)
    (step,) = (each.next_step for each in refused.value.findings if "many" in each.subject)
    advised = float(step.removeprefix(f"set {field} = ").partition(",")[0])
    allocate(candidates, [msgspec.structs.replace(limits[0], **{field: advised}), *limits[1:]])
    nearer = advised + 0.05 * (limit[field] - advised)
    with pytest.raises(BrokenPromise):
        allocate(candidates, [msgspec.structs.replace(limits[0], **{field: nearer}), *limits[1:]])


def test_a_row_says_how_many_opportunities_it_is_about():
    candidates = instance(50, 2, 1)
    limits = [
        Limit(name="all", uses="contacts", at_most=50.0),
        Limit(name="app", uses="contacts", at_most=50.0, where="surface = 'app'"),
        Limit(name="typo", uses="contacts", at_most=50.0, where="surface = 'APP'"),
    ]
    about = [row.about for row in allocate(candidates, limits).certificate.rows]
    assert about == [None, int(np.sum(candidates.attributes["surface"] == "app")), 0]
