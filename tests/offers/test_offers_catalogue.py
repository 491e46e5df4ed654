"""The catalogue: which step a price belongs to, what a step costs, and who is eligible."""

import numpy as np
import pytest

from opportune.offers import (
    Band,
    Catalogue,
    Eligibility,
    PriceAxis,
    check_catalogue,
    check_eligibility,
    eligible_rows,
    failed_reasons,
    price_catalogue,
)

CATALOGUE = Catalogue(
    product="loan", surfaces=("mail",), expires_after_days=30, claim="pre-approved",
    price=PriceAxis(term="monthly_rate_pp", band="band", steps=("standard", "step_1", "step_2")),
    bands=(Band(name="HIGH", standard=11.75, cuts=(0.8, 2.05)), Band(name="LOW", standard=7.75, cuts=(0.3, 1.05))),
)  # fmt: skip


@pytest.mark.parametrize(
    ("band", "price", "step"),
    [
        ("HIGH", 11.75, 0), ("HIGH", 10.96, 0), ("HIGH", 10.95, 1), ("HIGH", 9.71, 1), ("HIGH", 9.70, 2), ("HIGH", 3.25, 2),
        ("HIGH", 11.76, -1), ("LOW", 7.45, 1), ("LOW", 7.46, 0), ("LOW", 6.70, 2), ("NONE", 5.0, -1),
    ],
)  # fmt: skip
def test_a_discount_at_a_cut_begins_the_next_step(band, price, step):
    """11.75 - 10.95 is 0.8000000000000007 in floats and 7.75 - 7.45 is 0.2999999999999998: cuts must not care."""
    assert CATALOGUE.step_of(np.array([band], dtype=object), np.array([price])).tolist() == [step]


def test_a_step_stands_for_the_mean_of_its_logged_prices():
    band = np.array(["HIGH", "HIGH", "HIGH", "LOW"], dtype=object)
    priced = price_catalogue(CATALOGUE, band, np.array([11.75, 11.25, 9.0, 7.0]))
    assert priced.prices["HIGH"] == (11.5, 11.75 - 0.8, 9.0)
    assert priced.prices["LOW"] == (7.75, 7.0, 7.75 - 1.05)
    terms = priced.terms(np.array(["LOW", "ELSE"], dtype=object))["monthly_rate_pp"]
    assert terms[0].tolist() == [7.75, 7.0, 6.7]
    assert np.isnan(terms[1]).all()
    assert priced.offer(1, "LOW").terms == {"monthly_rate_pp": 7.0}


def test_null_is_not_a_pass():
    rule = Eligibility(name="recent", fact="days", at_most=100.0, reason="too long ago")
    facts = {"days": np.array([5.0, 100.0, 101.0, np.nan])}
    assert eligible_rows((rule,), facts, 4).tolist() == [True, True, False, False]
    assert failed_reasons((rule,), {"days": np.array([np.nan])}) == ("too long ago",)
    assert failed_reasons((rule,), {"days": np.array([1.0])}) == ()


def test_a_rule_on_text_and_a_rule_that_asks_nothing():
    rule = Eligibility(name="band", fact="band", one_of=("A",), reason="no")
    assert rule.holds(np.array(["A", "B", None], dtype=object)).tolist() == [True, False, False]
    with pytest.raises(ValueError, match="asks nothing"):
        Eligibility(name="x", fact="y", reason="z")


def test_catalogues_and_rules_that_cannot_stand_are_found():
    import msgspec

    bad = msgspec.structs.replace(
        CATALOGUE,
        price=PriceAxis(term="r", band="b", steps=("a", "a", "c")),
        bands=(Band(name="X", standard=1.0, cuts=(0.5,)), Band(name="Y", standard=1.0, cuts=(0.5, 0.2))),
    )
    assert {finding.code for finding in check_catalogue(bad)} == {"OP201", "OP202", "OP203"}
    assert check_catalogue(CATALOGUE) == []
    twice = msgspec.structs.replace(CATALOGUE, bands=(*CATALOGUE.bands, CATALOGUE.bands[0]))
    assert [(each.code, each.subject) for each in check_catalogue(twice)] == [
        ("OP809", f"band '{CATALOGUE.bands[0].name}'")
    ]
    rules = [Eligibility(name="r", fact=fact, at_most=1.0, reason="z") for fact in ("days", "dyas", "age")]
    assert [finding.code for finding in check_eligibility(rules, ["days"], ["age"])] == ["OP204", "OP205"]
