"""The command line: one module per command, no logic; exit statuses and messages in one place."""

from opportune.cli.app import main

__all__ = ["main"]
