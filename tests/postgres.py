"""The PostgreSQL server that tests share."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bench.databases import own_server
from tests.programs import POSTGRES_VARIABLE, requires

# Parameters of tests that run over either.
BOTH_DATABASES = ["sqlite", pytest.param("postgresql", marks=requires("postgresql"))]


@contextmanager
def running_server() -> Iterator[str]:
    """Yield the URL of a server: the one that the environment names, else one of our own.

    Tests that use it are marked ``requires("postgresql")``.
    """
    named = os.environ.get(POSTGRES_VARIABLE)
    if named:
        yield named
        return
    with own_server() as server:
        yield server.url
