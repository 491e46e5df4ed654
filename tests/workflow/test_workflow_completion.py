"""Outcomes of the list that are not yet known: left out unless declared, completed by cells, with learners as arguments."""

import numpy as np
import pytest

from opportune.domain import BadInput
from opportune.project import Project
from opportune.workflow.completion import declared_completion
from opportune.workflow.evidence_spec import Immature, ImmatureEvent
from opportune.workflow.frames import open_tables
from opportune.workflow.outcome_model import LeastSquares, cross_fitted

LATE = """WHERE NOT (sent_at >= TIMESTAMP '2025-03-01' AND took_up = 0 AND hash(letter_id) % 10 < 7)"""
CELL = """
[immature]
cell = "d.answered || ' ' || o.band"
says = "Whether a customer answered at all is known at once, and tells most of what follows."
"""


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.fixture
def late(small):
    """A list whose letters without an answer are mostly not yet closed: takers are known first."""
    edit(small / "tables/outcomes.sql", "read_csv('data/letters.csv')", f"read_csv('data/letters.csv') {LATE}")
    edit(small / "tables/decisions.sql", "monthly_rate_pp\n", "monthly_rate_pp, took_up AS answered\n")
    return small


EVENT = """
[immature]
cell = "o.band"
says = "Who will answer does so within six weeks, the recent ones like the earlier ones."
event = { watched = "d.weeks", at = "CASE WHEN d.week <= d.weeks THEN d.week END", horizon = 6 }
"""


@pytest.fixture
def watched(small):
    """A list whose letters were watched for 0 to 11 weeks; an answer is known in its week, none after six."""
    seen = "hash(letter_id) % 12 AS weeks, CASE took_up WHEN 1 THEN 1 + hash(letter_id, 1) % 6 END AS week"
    edit(small / "tables/decisions.sql", "monthly_rate_pp\n", f"monthly_rate_pp, {seen}\n")
    needed = "CASE took_up WHEN 1 THEN 1 + hash(letter_id, 1) % 6 ELSE 6 END"
    late = f"WHERE sent_at < TIMESTAMP '2025-03-01' OR hash(letter_id) % 12 >= {needed}"
    edit(small / "tables/outcomes.sql", "read_csv('data/letters.csv')", f"read_csv('data/letters.csv') {late}")
    return small


def run(directory, capsys=None):
    project = Project.open(directory)
    project.run()
    return project, project.evidence()


def value_of(evidence, policy):
    return next(
        (row["value"], row["low"], row["high"])
        for row in evidence["estimates"]
        if (row["policy"], row["against"], row["method"]) == (policy, None, "dr")
    )


def test_leaving_out_is_biased_and_completing_is_not(late, small_run):
    usual = value_of(small_run.evidence(), "logged")
    _, dropped = run(late)
    assert dropped["completed"] == 0
    assert dropped["immature"] > 500
    assert value_of(dropped, "logged")[0] > 1.3 * usual[0]
    (late / "evidence.toml").write_text((late / "evidence.toml").read_text() + CELL)
    project, evidence = run(late)
    assert evidence["rows"] == 2000
    assert evidence["completed"] == evidence["immature"] == dropped["immature"]
    value, low, high = value_of(evidence, "logged")
    assert value == pytest.approx(usual[0], rel=0.02)
    assert low < usual[0] < high
    rows = {row["limit"]: row for row in evidence["planned_against_realised"]}
    assert 0.0 <= rows["arrears rate"]["holds"] <= 1.0
    page = (project.out / "reports" / "portfolio.html").read_text()
    assert "Whether a customer answered at all is known at once" in page


def declare(directory, text):
    (directory / "evidence.toml").write_text((directory / "evidence.toml").read_text() + text)


SUBSET = """
[[subset]]
name = "long loans"
where = "u.term_months > 9"
says = "Loans of more than nine months."
"""


def test_an_event_that_may_still_come_completes_the_list(watched, small_run):
    usual = small_run.evidence()
    declare(watched, SUBSET)
    dropped = run(watched)[1]
    assert 300 < dropped["immature"] < 1500
    truth, low, _ = value_of(usual, "logged")
    assert value_of(dropped, "logged")[0] > 1.2 * truth
    declare(watched, EVENT)
    project, evidence = run(watched)
    assert evidence["completed"] == dropped["immature"]
    value, low, high = value_of(evidence, "logged")
    assert value == pytest.approx(truth, rel=0.1)
    assert low < truth < high
    for row, known in zip(evidence["tail"], usual["tail"], strict=True):
        assert row["low"] <= known["value"] <= row["high"] or row["value"] == pytest.approx(known["value"], rel=0.1)
    completes_takers(dropped["subsets"], evidence["subsets"], usual["subsets"][0])
    told = project.swap_set()
    assert told["why_not"] is None
    everyone = [cell for cell in told["cells"] if cell["segment"] == "all"]
    assert sum(cell["customers"] for cell in everyone) == 2000


def completes_takers(dropped, completed, usual):
    """Open takers weigh among all takers: their figures move, the known ones are counted, and the truth is inside."""
    assert [row["takers"] for row in completed] == [row["takers"] for row in dropped]
    assert completed[0]["takers"] < usual["takers"]
    for ratio in ("contribution_per_taker", "arrears_per_lent"):
        assert completed[0][ratio]["low"] < usual[ratio]["value"] < completed[0][ratio]["high"]
        for row, known in zip(completed, dropped, strict=True):
            assert row[ratio]["low"] < row[ratio]["value"] < row[ratio]["high"]
            assert row[ratio] != known[ratio]


@pytest.mark.parametrize(
    ("watched", "at", "says"),
    [
        ("4", "5", r"OP625\] immature.event.at is wrong in 5 decisions .* none after all that `watched` says"),
        ("0.5", "NULL", r"OP625\] immature.event.watched is wrong in 5 decisions .* a whole number of periods from 0"),
        ("NULL", "NULL", r"OP625\] immature.event.watched is wrong in 5 decisions"),
        ("4", "-1", r"OP625\] immature.event.at is wrong in 5 decisions .* null while it has not come"),
        ("'four'", "NULL", r"immature.event.watched .*four"),
    ],
)
def test_periods_that_cannot_be_are_refused(small_run, watched, at, says):
    with pytest.raises(BadInput, match=says):
        completed(small_run, "o.band", ImmatureEvent(watched=watched, at=at, horizon=6))


def test_an_event_needs_a_horizon_and_sql_of_columns_that_exist(small):
    declare(small, EVENT.replace("horizon = 6", "horizon = 0"))
    with pytest.raises(BadInput, match=r"horizon of immature.event is 0: expected at least 1 period"):
        Project.open(small)
    edit(small / "evidence.toml", "horizon = 0", "horizon = 6")
    with pytest.raises(BadInput, match=r"evidence.toml:\d+:11 .OP021. watched names something that does not exist"):
        Project.open(small).check()


def test_a_cell_that_is_no_sql_is_found_by_the_check(late):
    (late / "evidence.toml").write_text((late / "evidence.toml").read_text() + CELL.replace("d.answered", "d.answer"))
    with pytest.raises(BadInput, match=r"evidence.toml:\d+:1 .OP021. cell names something that does not exist"):
        Project.open(late).check()


def test_a_cell_without_a_known_decision_is_refused(late):
    cell = CELL.replace("d.answered || ' ' || o.band", "d.decision_id")
    (late / "evidence.toml").write_text((late / "evidence.toml").read_text() + cell)
    with pytest.raises(BadInput, match=r"OP620\] cell \d+ values of cell"):
        run(late)


def completed(project, cell, event=None):
    engine = open_tables(project.out, project.settings.directory)
    ids = np.array(engine.query("SELECT decision_id FROM decisions LIMIT 5")["decision_id"].to_pylist(), dtype=object)
    return declared_completion(engine, Immature(cell=cell, says="nothing", event=event), ids)


def test_cells_and_periods_are_those_of_the_sql(small_run):
    assert completed(small_run, "nullif(d.slot, '1')").cell.tolist() == [""] * 5
    found = completed(small_run, "1 + 1", ImmatureEvent(watched="7", at="NULL", horizon=6))
    assert (found.stratum.tolist(), found.watched.tolist(), found.event_at.tolist()) == (["2"] * 5, [7] * 5, [0] * 5)


def test_the_small_project_tells_tail_and_limits(small_run):
    evidence = small_run.evidence()
    assert {row["policy"] for row in evidence["tail"]} == {row["name"] for row in evidence["policies"]}
    values = {row["policy"]: row["value"] for row in evidence["estimates"] if row["against"] is None}
    for row in evidence["tail"]:
        assert row["share"] == 0.05
        assert row["low"] <= row["value"] <= row["high"]
        assert row["value"] <= values[row["policy"]]
    letters = next(row for row in evidence["planned_against_realised"] if row["limit"] == "letters")
    assert letters["holds"] == 1.0


def test_evaluate_prints_what_a_portfolio_manager_asks(small_run, capsys):
    from opportune.cli.app import status_of

    assert status_of(["evaluate", str(small_run.settings.directory)]) == 0
    said = capsys.readouterr().out
    for words in (
        "effective n  largest weight  unsupported",
        "Limits of the plan",
        "holds",
        "Risk of loss: mean of the worst 5% of decisions",
        "arrears rate",
    ):
        assert words in said


class Mean:
    def fit(self, X, y):
        self.mean = y.mean()
        self.shape = X.shape
        return self

    def predict(self, X):
        return np.full(len(X), self.mean)


def test_a_learner_comes_as_an_argument_and_never_sees_its_own_cluster():
    draw = np.random.default_rng(0)
    n, cluster = 400, np.repeat(np.arange(40), 10).astype(str)
    action, y = draw.integers(0, 3, n), np.repeat(np.arange(40.0), 10)
    features = [draw.normal(size=(n, 1)), np.broadcast_to(np.arange(3.0), (n, 3))]
    predicted = cross_fitted(y, action, features, cluster, np.ones(n, dtype=bool), 40, 1, Mean)
    assert predicted.shape == (n, 3)
    assert predicted[:, 0] == pytest.approx((y.sum() - 10 * y) / 390)


def test_unknown_outcomes_teach_nothing():
    draw = np.random.default_rng(1)
    action, x = draw.integers(0, 2, 300), draw.normal(size=(300, 2))
    y = 1.0 + 2.0 * x[np.arange(300), action]
    y[:100] = np.nan
    found = cross_fitted(y, action, [x], np.arange(300).astype(str), np.ones(300, dtype=bool), 5, 1)
    assert found == pytest.approx(1.0 + 2.0 * x)


def test_least_squares_are_those_of_scikit_learn():
    from sklearn.linear_model import LinearRegression

    draw = np.random.default_rng(2)
    X, y = draw.normal(size=(200, 3)), draw.normal(size=200)
    expected = LinearRegression().fit(X, y)
    assert LeastSquares().fit(X, y).predict(X) == pytest.approx(expected.predict(X))
    assert LeastSquares().fit(X, y).weights == pytest.approx([expected.intercept_, *expected.coef_])
