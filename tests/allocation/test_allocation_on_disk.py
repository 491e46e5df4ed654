"""Candidates in a file: the same plan as in memory, blocks that split nothing, and files that cannot be."""

import msgspec
import numba
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from opportune.allocation import allocate, on_disk
from opportune.domain import BadInput, Candidates, Limit
from opportune.tables import CandidatesFile, candidates_file, candidates_of_table

USES = ("contacts", "lent", "loss")


def instance(count, offers, seed, customers=None):
    rng = np.random.default_rng(seed)
    eligible = rng.random((count, offers)) < 0.8
    eligible[:, 0] = True
    ids = np.array([f"o{i:06d}" for i in range(count)], dtype=object)
    owner = ids if customers is None else np.sort(rng.integers(0, customers, count)).astype(str).astype(object)
    lent = rng.gamma(2.0, 50.0, (count, offers))
    amounts = {"contacts": np.ones((count, offers)), "lent": lent, "loss": lent * rng.beta(1, 12, (count, offers))}
    return Candidates(
        opportunity_id=ids, customer_id=owner, slot=ids, offer_ids=tuple(f"k{k}" for k in range(offers)),
        eligible=eligible, value=np.where(eligible, rng.normal(4.0, 10.0, (count, offers)), 0.0),
        uses={name: np.where(eligible, each, 0.0) for name, each in amounts.items()}, currency="USD",
        attributes={"merchant": rng.choice(np.array(["m0", "m1", "m2"], dtype=object), count)},
    )  # fmt: skip


def write(candidates, path, **changes):
    pq.write_table(table_of(candidates, **changes), path, row_group_size=700)
    return CandidatesFile(path, USES, "USD")


def table_of(candidates, **changes):
    row, offer = np.nonzero(candidates.eligible)
    columns = {
        "opportunity_id": candidates.opportunity_id[row], "customer_id": candidates.customer_id[row],
        "slot": candidates.slot[row], "offer_id": np.array(candidates.offer_ids, dtype=object)[offer],
        "value": candidates.value[row, offer],
        **{name: amounts[row, offer] for name, amounts in candidates.uses.items()},
        **{name: values[row] for name, values in candidates.attributes.items()}, **changes,
    }  # fmt: skip
    return pa.table(columns)


LIMITS = [
    Limit(name="contacts", uses="contacts", at_most=900.0),
    Limit(name="shops", uses="lent", by="merchant", at_most=20_000.0),
    Limit(name="loss rate", uses="loss", per="lent", at_most=0.06),
]


@pytest.mark.parametrize(("customers", "most"), [(None, None), (1200, 1)])
def test_a_file_in_small_blocks_gives_the_plan_of_memory(customers, most, tmp_path, monkeypatch):
    monkeypatch.setattr(candidates_file, "ROWS", 701)
    monkeypatch.setattr(on_disk, "ROWS", 257)
    candidates = instance(3_000, 4, 5, customers)
    file = write(candidates, tmp_path / "candidates.parquet")
    assert len(file) == 3_000
    assert sum(len(block) for block in file.blocks()) == 3_000
    in_memory = allocate(candidates, LIMITS, gap=1e-3, offers_per_customer=most)
    in_blocks = allocate(file, LIMITS, gap=1e-3, offers_per_customer=most)
    assert in_blocks.certificate.status == in_memory.certificate.status == "optimal"
    assert in_blocks.certificate.bound == pytest.approx(in_memory.certificate.bound, rel=1e-6)
    assert in_blocks.opportunity_id.tolist() == candidates.opportunity_id.tolist()
    assert all(row.slack >= -1e-6 for row in in_blocks.certificate.rows)
    chosen = np.flatnonzero(in_blocks.choice >= 0)
    assert in_blocks.certificate.value == pytest.approx(candidates.value[chosen, in_blocks.choice[chosen]].sum())


def test_a_file_sorted_by_customer_gives_the_plan_of_one_sorted_by_opportunity(tmp_path, monkeypatch):
    monkeypatch.setattr(candidates_file, "ROWS", 101)
    candidates = instance(600, 3, 9)
    owners = np.random.default_rng(4).integers(100, 400, 600).astype(str).astype(object)
    candidates = msgspec.structs.replace(candidates, customer_id=owners)
    by_customer = candidates.rows(np.lexsort((candidates.opportunity_id, owners)))
    file = write(by_customer, tmp_path / "customers.parquet")
    in_memory = allocate(by_customer, LIMITS, gap=1e-2, offers_per_customer=1)
    in_blocks = allocate(file, LIMITS, gap=1e-2, offers_per_customer=1)
    assert in_blocks.certificate.bound == pytest.approx(in_memory.certificate.bound, rel=1e-6)
    assert in_blocks.opportunity_id.tolist() == by_customer.opportunity_id.tolist()
    served = by_customer.customer_id[in_blocks.choice >= 0].tolist()
    assert len(served) == len(set(served)) > 100
    with pytest.raises(BadInput, match=r"OP508.*Next: sort the file by customer_id and opportunity_id"):
        allocate(write(candidates, tmp_path / "apart.parquet"), LIMITS, offers_per_customer=1)
    swapped = np.arange(600)
    swapped[[500, 501]] = swapped[[501, 500]]
    with pytest.raises(BadInput, match=r"OP509.*sorted by opportunity_id, or by customer_id and opportunity_id"):
        allocate(write(by_customer.rows(swapped), tmp_path / "swapped.parquet"), LIMITS)


def test_one_thread_and_two_and_any_seed_give_the_same_plan_to_the_bit():
    candidates = instance(20_000, 4, 5)
    limits = [Limit(name="contacts", uses="contacts", at_most=6_000.0), LIMITS[2]]
    before, plans = numba.get_num_threads(), []
    try:
        for threads in (1, min(2, before)):
            numba.set_num_threads(threads)
            plans += [allocate(candidates, limits, seed=seed) for seed in (3, 4)]
    finally:
        numba.set_num_threads(before)
    for plan in plans[1:]:
        np.testing.assert_array_equal(plan.choice, plans[0].choice)
        assert plan.prices == plans[0].prices
        assert msgspec.structs.replace(plan.certificate, seed=3) == plans[0].certificate
    assert [plan.certificate.seed for plan in plans] == [3, 4, 3, 4]


def test_files_that_cannot_be_are_told_apart(tmp_path):
    candidates = instance(40, 3, 1)
    rows = int(candidates.eligible.sum())
    write(candidates, tmp_path / "a.parquet")
    with pytest.raises(BadInput, match=r"OP509.*rent is missing"):
        CandidatesFile(tmp_path / "a.parquet", ("rent",), "USD")
    backwards = candidates.rows(np.arange(40)[::-1])
    with pytest.raises(BadInput, match=r"OP509.*sorted by opportunity_id"):
        allocate(write(backwards, tmp_path / "b.parquet"), LIMITS)
    with pytest.raises(BadInput, match=r"OP509.*twice"):
        allocate(write(candidates, tmp_path / "c.parquet", offer_id=np.full(rows, "k0", dtype=object)), LIMITS)
    with pytest.raises(BadInput, match=r"OP504.*not finite"):
        allocate(write(candidates, tmp_path / "d.parquet", loss=np.full(rows, np.nan)), LIMITS)
    mixed = instance(40, 3, 1, customers=10).rows(np.arange(40))
    owners = np.array(["a", "b"], dtype=object)[np.nonzero(mixed.eligible)[0] % 2]
    with pytest.raises(BadInput, match=r"OP508.*follow each other"):
        allocate(write(mixed, tmp_path / "e.parquet", customer_id=owners), LIMITS, offers_per_customer=1)


@pytest.mark.parametrize("name", ["customer_id", "slot", "merchant"])
@pytest.mark.parametrize("block", [7, 1_048_576])
def test_rows_of_one_opportunity_that_differ_are_refused_with_the_row(name, block, tmp_path, monkeypatch):
    monkeypatch.setattr(candidates_file, "ROWS", block)
    candidates = instance(40, 3, 1)
    row, _ = np.nonzero(candidates.eligible)
    held = {**candidates.attributes, "customer_id": candidates.customer_id, "slot": candidates.slot}[name][row]
    at = int(np.flatnonzero(row[1:] == row[:-1])[17]) + 1
    first = held[at]
    held[at] = "m9"
    with pytest.raises(
        BadInput, match=rf"OP509\] {name} is 'm9' in row {at + 1} \(o.*\) and '{first}' in the row before"
    ):
        allocate(write(candidates, tmp_path / "a.parquet", **{name: held}), LIMITS)


def test_missing_values_of_one_opportunity_do_not_differ(tmp_path):
    candidates = instance(40, 3, 1)
    rows = int(candidates.eligible.sum())
    file = write(candidates, tmp_path / "a.parquet", merchant=np.full(rows, np.nan), other=pa.nulls(rows, pa.string()))
    assert allocate(file, LIMITS[:1]).certificate.status == "optimal"


@pytest.mark.parametrize("at", [None, "2026-01-05"])
def test_a_customer_stands_once_for_each_slot_and_instant(at, tmp_path):
    candidates = instance(400, 3, 1, customers=150)
    when = {} if at is None else {"at": np.full(400, np.datetime64(at, "us"))}
    one_slot = msgspec.structs.replace(
        candidates, slot=np.full(400, "1", dtype=object), attributes={**candidates.attributes, **when}
    )
    kept = np.unique(one_slot.customer_id, return_index=True)[1]
    twice = r"OP030\] o000\d+, .* 2\d\d opportunities stand for a customer and slot( and instant)? of another"
    with pytest.raises(BadInput, match=twice):
        allocate(one_slot, LIMITS)
    with pytest.raises(BadInput, match=twice):
        allocate(write(one_slot, tmp_path / "a.parquet"), LIMITS)
    for fine in (one_slot.rows(np.sort(kept)), candidates):
        allocate(fine, LIMITS)
        allocate(write(fine, tmp_path / "b.parquet"), LIMITS)
    if at is not None:
        days = one_slot.attributes["at"] + np.arange(400).astype("timedelta64[D]")
        apart = msgspec.structs.replace(one_slot, attributes={**one_slot.attributes, "at": days})
        allocate(apart, LIMITS)


@pytest.mark.parametrize("encoded", [False, True])
def test_an_arrow_table_in_memory_gives_the_same_candidates(encoded):
    candidates = instance(500, 3, 2, customers=200)
    table = table_of(candidates)
    if encoded:
        for name in ("opportunity_id", "customer_id", "slot", "offer_id", "merchant"):
            at = table.column_names.index(name)
            table = table.set_column(at, name, table[name].dictionary_encode())
    chunks = pa.concat_tables([table.slice(0, 301), table.slice(301)])
    for given in (table, chunks, table.to_reader()):
        read = candidates_of_table(given, USES, "USD")
        assert (read.offer_ids, read.currency) == (candidates.offer_ids, "USD")
        for name in ("opportunity_id", "customer_id", "slot", "eligible", "value"):
            np.testing.assert_array_equal(getattr(read, name), getattr(candidates, name))
        for name in USES:
            np.testing.assert_array_equal(read.uses[name], candidates.uses[name])
        np.testing.assert_array_equal(read.attributes["merchant"], candidates.attributes["merchant"])


def test_arrow_tables_that_cannot_be_are_told_apart():
    candidates = instance(40, 3, 1)
    table, rows = table_of(candidates), int(candidates.eligible.sum())
    with pytest.raises(BadInput, match=r"OP509\] rent is missing"):
        candidates_of_table(table, ("rent",), "USD")
    with pytest.raises(BadInput, match=r"OP509.*sorted by opportunity_id"):
        candidates_of_table(table_of(candidates.rows(np.arange(40)[::-1])), USES, "USD")
    with pytest.raises(BadInput, match=r"OP509.*twice"):
        candidates_of_table(table_of(candidates, offer_id=np.full(rows, "k0", dtype=object)), USES, "USD")
    slots = np.arange(rows).astype(str).astype(object)
    with pytest.raises(BadInput, match=r"OP509\] slot is '1' in row 2 \(o000000\) and '0' in the row before"):
        candidates_of_table(table_of(candidates, slot=slots), USES, "USD")
    slots[7] = None
    with pytest.raises(BadInput, match=r"OP509\] slot is missing in row 8"):
        candidates_of_table(table_of(candidates, slot=slots), USES, "USD")
    assert len(candidates_of_table(table.slice(0, 0), USES, "USD")) == 0
