"""What the log and the settings say is believed only where it fits: outcomes, probabilities, protected names."""

import msgspec
import numpy as np
import pytest

from opportune.domain import AsOf, BadInput
from opportune.workflow.chosen import _parts, chosen
from opportune.workflow.declarations import check_declarations
from opportune.workflow.evaluate import _response
from opportune.workflow.fairness import group_sql
from opportune.workflow.frames import context_columns, open_tables, opportunities_at
from opportune.workflow.listed import read_listed
from opportune.workflow.outcome_model import cross_fitted
from opportune.workflow.policies import best_offers
from opportune.workflow.settings import Frontier
from opportune.workflow.trial import judged_decisions, open_trial


@pytest.fixture
def engine(small_run):
    """The checked tables of the small project, to be changed."""
    return open_tables(small_run.out, small_run.settings.directory)


def change(engine, table, columns):
    engine.register(table, engine.query(f"SELECT {columns} FROM {table}"))


def codes(settings, engine):
    try:
        check_declarations(settings, engine)
    except BadInput as error:
        return [(finding.code, finding.subject) for finding in error.findings]
    return []


@pytest.mark.parametrize(
    ("table", "columns", "expected"),
    [
        ("outcomes", "*", []),
        ("outcomes", "* REPLACE (took_up::INTEGER AS took_up)", []),
        ("outcomes", "* REPLACE (took_up = 1 AS took_up)", []),
        ("outcomes", "* REPLACE (CASE took_up WHEN 1 THEN 'Y' ELSE 'N' END AS took_up)", [("OP833", "took_up")]),
        ("outcomes", "* REPLACE (took_up * 2 AS took_up)", [("OP833", "took_up")]),
        ("outcomes", "* REPLACE (amount_lent::VARCHAR AS amount_lent)", [("OP833", "amount_lent")]),
        ("outcomes", "* REPLACE (DATE '2025-01-01' AS arrears)", [("OP833", "arrears")]),
        ("decisions", "* REPLACE (monthly_rate_pp::VARCHAR AS monthly_rate_pp)", [("OP833", "monthly_rate_pp")]),
        ("outcomes", "*, DATE '2025-01-01' AS paid_off_on, 7.0 AS price", []),
    ],
)
def test_outcomes_are_numbers_and_answers_are_yes_or_no(table, columns, expected, small_run, engine):
    change(engine, table, columns)
    assert codes(small_run.settings, engine) == expected


@pytest.mark.parametrize(
    ("price", "expected"),
    [
        ("monthly_rate_pp / 100", [("OP842", "monthly_rate_pp")]),
        ("monthly_rate_pp * 100", [("OP842", "monthly_rate_pp")]),
        ("CASE WHEN stratum LIKE 'B%' THEN 0.01 ELSE 1 END * monthly_rate_pp", [("OP842", "monthly_rate_pp")]),
        ("monthly_rate_pp / 12", []),
        ("0.0", []),
        ("NULL::DOUBLE", []),
    ],
)
def test_prices_in_the_unit_of_another_catalogue_are_asked_about(price, expected, small_run, engine):
    change(engine, "decisions", f"* REPLACE ({price} AS monthly_rate_pp)")
    assert codes(small_run.settings, engine) == expected


MADE = """CASE WHEN monthly_rate_pp <= standard - 2 * cut THEN 'step_2' WHEN monthly_rate_pp <= standard - cut
    THEN 'step_1' ELSE 'standard' END"""


def with_offers(engine, probability="NULL::DOUBLE"):
    """Give decisions the offer that their price belongs to, and a probability."""
    engine.register(
        "_bands", engine.query("SELECT * FROM (VALUES ('A', 2.0, 0.4), ('B', 3.0, 0.6)) AS b(band, standard, cut)")
    )
    engine.register(
        "decisions",
        engine.query(f"""SELECT d.*, {MADE} AS offer_id, {probability} AS probability FROM decisions AS d
            JOIN opportunities USING (opportunity_id) JOIN _bands USING (band)"""),
    )


def test_the_offer_of_a_decision_is_that_of_its_price(small_run, engine):
    with_offers(engine)
    assert codes(small_run.settings, engine) == []
    change(
        engine,
        "decisions",
        "* REPLACE (CASE WHEN decision_id = 'l20001' THEN 'nonsense' ELSE offer_id END AS offer_id)",
    )
    with pytest.raises(
        BadInput, match=r"OP835\] offer_id is not the offer of the price in 1 decisions: l20001 names 'nonsense'"
    ):
        check_declarations(small_run.settings, engine)


def test_the_probability_of_the_logged_offer_alone_is_refused(small_run, engine):
    with_offers(engine, "0.5")
    with pytest.raises(BadInput, match=r"OP834\] probability is given.*probabilities\.sql"):
        check_declarations(small_run.settings, engine)


def test_the_probability_of_the_logged_offer_is_that_of_the_table(small_run, engine):
    with_offers(engine, "1 / 3")
    offers = "(VALUES ('standard'), ('step_1'), ('step_2')) AS t(offer_id)"
    engine.register(
        "probabilities", engine.query(f"SELECT decision_id, t.offer_id, 1 / 3 AS probability FROM decisions, {offers}")
    )
    assert codes(small_run.settings, engine) == []
    change(
        engine, "decisions", "* REPLACE (CASE WHEN decision_id = 'l20001' THEN 0.5 ELSE probability END AS probability)"
    )
    assert codes(small_run.settings, engine) == [("OP835", "probability")]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"protected": ("AGE",)}, []),
        ({"protected": ("agee",)}, [("OP831", "protected")]),
        ({"protected": ("age", "Branch")}, [("OP832", "cluster")]),
    ],
)
def test_a_protected_name_is_one_that_is_there_and_that_nothing_depends_on(changes, expected, small_run, engine):
    assert codes(msgspec.structs.replace(small_run.settings, **changes), engine) == expected


def test_a_price_band_may_not_be_protected(small_run, engine):
    settings = msgspec.structs.replace(small_run.settings, protected=("BAND",))
    assert ("OP832", "price.band") in codes(settings, engine)


def test_columns_that_nothing_names_may_be_of_any_type(small_run, engine):
    change(engine, "opportunities", "*, DATE '2025-01-01' AS mailed_on, \"at\" AS loaded_at, ['a'] AS tags")
    settings = small_run.settings
    batch = opportunities_at(engine, settings.plan_at, context_columns(settings))
    assert set(batch.context) == {"band", "branch"}
    with pytest.raises(BadInput, match=r"OP110\] mailed_on"):
        opportunities_at(engine, settings.plan_at, {"mailed_on"})


def test_every_decision_that_teaches_needs_a_probability():
    band, step = np.array(["A", "A", "A"], dtype=object), np.array([0, 1, 0])
    known = np.full((3, 2), 0.5)
    assert best_offers(band, step, known, np.array([1.0, 5.0, 2.0])) == {"A": 1}
    known[2] = 0.0
    with pytest.raises(BadInput, match=r"OP602\] probability gives no probability above zero for the offer of 1 of 3"):
        best_offers(band, step, known, np.array([1.0, 5.0, 2.0]))


def test_a_row_without_prices_is_predicted_zero():
    value = np.array([[1.0, 2.0], [np.nan, np.nan], [3.0, 5.0], [2.0, 2.5]])
    predicted = cross_fitted(
        np.array([1.0, 9.0, 3.0, 2.0]), np.array([0, -1, 0, 1]), [value], np.array(["a", "b", "c", "d"]),
        ~np.isnan(value[:, 0]), 2, 1,
    )  # fmt: skip
    assert np.isfinite(predicted).all()
    assert predicted[1].tolist() == [0.0, 0.0]
    assert predicted[2, 1] != 0.0


def test_a_model_is_not_measured_while_everybody_gave_one_answer(small_run):
    listed = read_listed(small_run.settings, small_run.out)
    trial = open_trial(listed, judged_decisions(listed))
    assert _response(trial)["n"] == len(trial.past)
    takers = trial.past.take(trial.past.outcomes["took_up"] == 1)
    assert _response(msgspec.structs.replace(trial, past=takers)) is None


def test_a_list_has_one_instant_as_its_cluster(small_run):
    listed = read_listed(small_run.settings, small_run.out)
    at = msgspec.structs.replace(
        small_run.settings, identity=msgspec.structs.replace(small_run.settings.identity, cluster="at")
    )
    assert set(msgspec.structs.replace(listed, settings=at).cluster()) == {"2025-03-01T00:00:00Z"}
    assert len(listed.cluster()) == len(listed)


def test_chosen_by_ends_with_a_number(small_run):
    listed = read_listed(small_run.settings, small_run.out)
    spec = msgspec.structs.replace(small_run.settings.evidence, chosen_by=("days_since_purchase", "band"))
    turned = msgspec.structs.replace(listed, settings=msgspec.structs.replace(small_run.settings, evidence=spec))
    with pytest.raises(BadInput, match=r"OP814\] chosen_by ends with 'band', which is text"):
        chosen(turned)


@pytest.mark.parametrize(
    ("numbers", "labels"),
    [
        ([0.0, 10.0], ["0 to 0", "10 to 10"]),
        ([np.nan, np.nan], ["not known"]),
        ([3.0, np.nan], ["3 to 3", "not known"]),
    ],
)
def test_few_numbers_make_few_parts(numbers, labels):
    parts = _parts(np.array(numbers))
    assert [label for label, _ in parts] == labels
    assert np.sum([mask for _, mask in parts], axis=0).tolist() == [1] * len(numbers)


def test_a_group_is_text_whatever_the_expression_gives(engine):
    for sql in ("age > 40", "age", "CASE WHEN age < 40 THEN 'young' END"):
        query = group_sql(sql, AsOf.parse("2025-03-01"), engine.columns("customers"))
        kinds = {type(label) for label in engine.query(query)["label"].to_pylist()}
        assert kinds == {str}, sql


def test_a_customers_row_whose_arrival_is_not_known_makes_no_group(engine):
    engine.register("customers", engine.query("""
        SELECT * REPLACE (CASE WHEN customer_id = (SELECT min(customer_id) FROM customers) THEN NULL
            ELSE known_from END AS arrived_at)
        FROM (SELECT *, known_from AS arrived_at FROM customers)"""))  # fmt: skip
    found = engine.query(group_sql("age", AsOf.parse("2025-03-01"), engine.columns("customers")))
    (first,) = engine.query("SELECT min(customer_id) AS id FROM customers")["id"].to_pylist()
    assert first not in found["customer_id"].to_pylist()
    assert len(found) > 0


@pytest.mark.parametrize("bound", [float("nan"), float("inf")])
def test_a_bound_of_the_frontier_is_finite(bound):
    with pytest.raises(ValueError, match="expected finite numbers"):
        Frontier(limit="letters", bounds=(10.0, bound))
