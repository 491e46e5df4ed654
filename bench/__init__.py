"""Every figure of speed and memory that the docs claim, measured here."""
