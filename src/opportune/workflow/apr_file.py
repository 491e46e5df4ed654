"""A file of flows to an annual percentage rate per contract."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from opportune.domain import BadInput, Finding
from opportune.economics import Aprs, Fee, Flows, apr
from opportune.economics.apr import Flow, check_flows
from opportune.economics.aprs import STATUSES, Count, Method
from opportune.economics.fees import Charges, FeeKind
from opportune.tables import replace_directory, write_json
from opportune.workflow.flows_file import SHOWN, FlowsRead, read_flows, rest
from opportune.workflow.output_folder import check_replaced

if TYPE_CHECKING:
    import pyarrow as pa

WRITTEN = ("aprs.parquet", "findings.json")


class AprFile(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a file: contracts by status, and what is wrong in it."""

    contracts: int
    statuses: dict[str, int]
    findings: tuple[Finding, ...]


def apr_file(
    path: Path, out: Path, method: Method, count: Count, fees: Sequence[Fee], include: Charges | frozenset[FeeKind]
) -> AprFile:
    """Write ``apr/aprs.parquet`` and ``apr/findings.json`` below ``out``: one row per contract of the file.

    A contract with a row that cannot be read has the status ``bad_input``. BadInput (OP415) when nothing can be read.
    """
    read = read_flows(path)
    if not len(read.contracts):
        raise BadInput(read.findings or [_finding(path, "", "has no rows: expected flows", "")])
    found = apr(read.advances, read.payments, method, count=count, fees=fees, include=include)
    findings = (*read.findings, *_contract_findings(path, read, found))

    def build(directory: Path) -> None:
        import pyarrow.parquet as pq

        pq.write_table(_table(read.contracts, found), directory / "aprs.parquet", compression="zstd")
        write_json(directory / "findings.json", findings)

    check_replaced(out / "apr", WRITTEN)
    replace_directory(out / "apr", build)
    counts = {str(status): int(np.sum(found.status == status)) for status in STATUSES}
    return AprFile(contracts=len(read.contracts), statuses=counts, findings=findings)


def _table(contracts: np.ndarray, found: Aprs) -> "pa.Table":
    """Return one row per contract; a rate that there is not is null."""
    import pyarrow as pa

    solved = found.status == "converged"
    return pa.table({
        "contract": pa.array(contracts, pa.string()), "apr": pa.array(found.value, mask=~solved),
        "status": found.status, "unit_period": found.unit_period, "irregular": found.irregular,
        "finance_charge": found.finance_charge, "amount_financed": found.amount_financed,
        "residual": pa.array(found.residual, mask=~solved),
    })  # fmt: skip


def _contract_findings(path: Path, read: FlowsRead, found: Aprs) -> Iterator[Finding]:
    """Tell why contracts whose rows can all be read have no rate."""
    readable = ~np.isin(np.arange(len(found)), np.concatenate([_unread(read.advances), _unread(read.payments)]))
    bad = np.flatnonzero((found.status == "bad_input") & readable)
    for i in bad[:SHOWN]:
        for finding in check_flows(_of(read.advances, i), _of(read.payments, i)):
            subject = f"contract {read.contracts[i]}, {finding.subject}"
            yield msgspec.structs.replace(finding, source=path.name, subject=subject)
    yield from rest(path, len(bad), "contracts have flows without a rate")


def _unread(flows: Flows) -> np.ndarray:
    return np.asarray(flows.contract[np.isnan(flows.amount)])


def _of(flows: Flows, contract: int) -> list[Flow]:
    rows = np.flatnonzero(flows.contract == contract)
    return [(flows.day[row].item(), float(flows.amount[row])) for row in rows]


def _finding(path: Path, subject: str, message: str, step: str) -> Finding:
    return Finding(code="OP415", source=path.name, subject=subject, message=message, next_step=step)
