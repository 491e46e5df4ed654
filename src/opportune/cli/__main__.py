"""`python -m opportune.cli` is `opportune`."""

from opportune.cli.app import main

main()
