"""What a notebook shows and takes: one line, a small table, and frames that share Arrow's memory."""

import msgspec
import numpy as np
import polars as pl
import pyarrow as pa

from opportune.decisioning import open_release
from opportune.domain import Certificate, Estimate, Plan, RowReport
from opportune.project import Project


def shown(thing):
    bundle = thing._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html"}
    assert bundle["text/plain"] == repr(thing)
    return bundle["text/html"]


def test_an_estimate_is_never_shown_without_its_interval():
    estimate = Estimate(value=18.42, low=11.8, high=28.0, n=29253, method="dr", effective_n=2660.0)
    assert repr(estimate) == "Estimate(18.42 [11.8, 28], 95%, n = 29,253, effective n = 2,660, dr)"
    assert "[11.8, 28]" in shown(estimate)


def test_a_plan_of_a_million_rows_is_shown_in_a_moment_and_a_few_bytes():
    rows = (RowReport(name="<mailings>", used=4.0, limit=5.0, price=0.1, slack=1.0),)
    certificate = Certificate(
        status="optimal", value=1.0, bound=1.0, gap=0.0, gap_asked=1e-4, rows=rows, opportunities=1_000_000,
        offered=4, repaired=0, data_hash="h", seed=1,
    )  # fmt: skip
    ids = np.arange(1_000_000).astype(object)
    plan = Plan(
        opportunity_id=ids, offer_ids=("a",), choice=np.zeros(1_000_000), prices={}, places=(), certificate=certificate
    )
    assert len(repr(plan)) < 200
    html = shown(plan)
    assert len(html) < 1_000
    assert "&lt;mailings&gt;" in html


def test_project_plan_and_release_say_what_they_are(small_run):
    planned = small_run.plan()
    assert "2025-03-01" in repr(small_run)
    assert "done" in shown(small_run)
    assert "optimal: " in repr(planned)
    assert "letters" in shown(planned)
    release = open_release(small_run.out / "releases" / small_run.release())
    assert "6 models, 4 features, 2 limits" in repr(release)
    assert "arrears rate" in shown(release)
    assert msgspec.structs.asdict(planned)["certificate"] is planned.certificate


def test_choices_go_to_frames_without_copies(small_run):
    planned = small_run.plan()
    arrow = planned.choices
    frame, polars, table = planned.to_pandas(), planned.to_polars(), pa.table(planned)
    assert len(frame) == polars.height == table.num_rows == arrow.num_rows == 2000
    assert frame["value"].sum() == polars["value"].sum()
    assert frame["value"].dtype.pyarrow_dtype == pa.float64()
    assert polars["offer_id"].dtype == pl.String
    column = arrow["value"].chunk(0)
    shared = pl.from_arrow(column)
    assert shared.to_numpy(allow_copy=False).__array_interface__["data"][0] == column.buffers()[1].address


def test_a_what_if_is_a_project_too(small):
    what_if = Project.open(small, changes=["limits.letters.at_most=500"])
    assert "limits.letters.at_most=500" in repr(what_if)
    assumptions = msgspec.toml.decode((small / "economics.toml").read_bytes())
    many = Project.open(small, changes=[f"economics.{name}.value=0.5" for name in assumptions])
    assert len(many.out.name) == 100
