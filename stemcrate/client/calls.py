"""What the groups of operations have in common."""

from stemcrate.client.connection import Connection


class Calls:
    """Operations of one connection; `stemcrate.client.client.Client` is all groups together."""

    def __init__(self, connection: Connection) -> None:
        self._api = connection
