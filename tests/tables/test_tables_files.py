"""Files are whole or absent; settings are read with every problem found."""

import json

import msgspec
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opportune.domain import Limit
from opportune.tables import canonical_json, convert, read_toml, replace_directory, write_bytes, write_parquet

plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(plain)
def test_canonical_json_comes_back_as_it_was(content):
    assert json.loads(canonical_json(content)) == content


def test_canonical_json_does_not_depend_on_order_and_refuses_nan():
    assert canonical_json({"b": 1, "a": 2}) == canonical_json({"a": 2, "b": 1})
    with pytest.raises(ValueError, match="JSON"):
        canonical_json({"x": float("nan")})


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "a.bin"
    write_bytes(path, b"old")
    with pytest.raises(TypeError):
        write_bytes(path, "not bytes")
    assert path.read_bytes() == b"old"
    assert [each.name for each in tmp_path.iterdir()] == ["a.bin"]


@pytest.mark.parametrize("stop", [RuntimeError, KeyboardInterrupt])
def test_a_stopped_build_leaves_the_old_folder_and_nothing_else(tmp_path, stop):
    replace_directory(tmp_path / "a", lambda folder: (folder / "old").write_text("1"))

    def build(folder):
        (folder / "new").write_text("2")
        raise stop

    with pytest.raises(stop):
        replace_directory(tmp_path / "a", build)
    assert [each.name for each in tmp_path.iterdir()] == ["a"]
    assert [each.name for each in (tmp_path / "a").iterdir()] == ["old"]


def test_a_rebuilt_folder_holds_only_the_new(tmp_path):
    for name in ("one", "two"):
        replace_directory(tmp_path / "a", lambda folder, name=name: (folder / name).write_text(name))
    assert [each.name for each in (tmp_path / "a").iterdir()] == ["two"]


def test_the_same_table_gives_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        write_parquet(tmp_path / f"{name}.parquet", pa.table({"x": list(range(1000)), "y": ["z"] * 1000}))
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def findings_of(entry, kind=Limit):
    findings = []
    return convert(entry, kind, "limits.toml", "limit[0]", findings), findings


def test_a_good_entry_becomes_a_record():
    assert findings_of({"name": "m", "uses": "contacts", "at_most": 5}) == (
        Limit(name="m", uses="contacts", at_most=5.0),
        [],
    )


def test_every_problem_of_an_entry_is_found_at_once():
    record, findings = findings_of({"nam": "m", "uses": 3, "at_most": "many"})
    assert record is None
    said = {finding.code: finding for finding in findings}
    assert set(said) == {"OP010", "OP012", "OP013"}
    assert "Did you mean name?" in said["OP012"].message
    assert {finding.subject for finding in findings} == {
        "limit[0].name",
        "limit[0].nam",
        "limit[0].uses",
        "limit[0].at_most",
    }
    assert any("expected a number, got text" in finding.message for finding in findings)


@pytest.mark.parametrize("entry", [{"name": "m", "uses": "x"}, {"name": "m", "uses": "x", "at_most": float("inf")}])
def test_a_value_that_cannot_be_is_told_in_the_records_own_words(entry):
    record, findings = findings_of(entry)
    assert record is None
    assert [finding.code for finding in findings] == ["OP014"]


def test_an_entry_that_is_no_table_is_told():
    assert findings_of(5)[1][0].code == "OP011"


def test_toml_that_is_missing_or_broken_is_told(tmp_path):
    findings = []
    (tmp_path / "b.toml").write_text("x = \n")
    (tmp_path / "c.toml").write_bytes(b"\xff")
    assert [read_toml(tmp_path / name, findings) for name in ("a.toml", "b.toml", "c.toml")] == [None] * 3
    assert [finding.code for finding in findings] == ["OP001", "OP003", "OP002"]


@pytest.mark.parametrize(
    ("text", "step"),
    [
        ("value = 0,07\n", "write numbers with a point and no comma, such as 0.07 or 1000"),
        ("value = [1,2 3]\n", "correct the line"),
        ("value = [1,2", "correct the line"),
    ],
)
def test_a_decimal_comma_is_recognised(text, step, tmp_path):
    findings = []
    (tmp_path / "economics.toml").write_text(text)
    assert read_toml(tmp_path / "economics.toml", findings) is None
    assert [(finding.code, finding.next_step) for finding in findings] == [("OP003", step)]


def test_limits_go_through_json_unchanged():
    limit = Limit(name="m", uses="loss", per="lent", at_most=0.06, soft_price=2.0)
    assert msgspec.json.decode(canonical_json(limit), type=Limit) == limit
