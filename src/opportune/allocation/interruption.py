"""Interruption: a Ctrl-C stops the work at once, and what there was by then is left, labelled so."""

import msgspec

from opportune.domain import Plan


def stopped(error: BaseException | None) -> bool:
    """Tell whether a Ctrl-C is behind an error: a compiled loop makes a SystemError of it as it is entered."""
    return error is not None and (isinstance(error, KeyboardInterrupt) or stopped(error.__cause__))


def is_cut_short(plan: Plan) -> bool:
    """Tell whether a plan is the best that there was when the work was interrupted."""
    return plan.certificate.status == "interrupted"


def cut_short(plan: Plan) -> Plan:
    """Return a plan that keeps its rows, labelled as what there was when the work was interrupted."""
    return msgspec.structs.replace(plan, certificate=msgspec.structs.replace(plan.certificate, status="interrupted"))
