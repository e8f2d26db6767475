"""Reproducible measurements against peers. Each prints a table, and with ``--json`` one object."""
