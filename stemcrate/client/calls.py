"""Base of the groups of operations."""

from stemcrate.client.connection import Connection


class Calls:
    """Operations on one connection; `stemcrate.client.client.Client` combines all groups."""

    def __init__(self, connection: Connection) -> None:
        self._api = connection
