"""Progress on a terminal: one line per step on standard error, none when output is piped."""

import sys


def on_step(name: str) -> None:
    """Say that a step has started."""
    if sys.stderr.isatty():
        print(f"  {name} ...", file=sys.stderr, flush=True)
