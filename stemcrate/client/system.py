"""Health and configuration of an installation."""

from stemcrate.client.calls import Calls
from stemcrate.schemas.configuration import Configuration, Health
from stemcrate.schemas.system import SystemReport

SERVICE_UNAVAILABLE = 503


class SystemCalls(Calls):
    """Operations on the installation."""

    def get_health(self) -> Health:
        """Return whether submitted work will be done; answers without a database, too."""
        return self._api.read("GET", "/health", Health, accepted=(SERVICE_UNAVAILABLE,))

    def get_config(self) -> Configuration:
        """Return what the installation offers: models, options with their defaults, limits."""
        return self._api.read("GET", "/config", Configuration)

    def get_system(self) -> SystemReport:
        """Return workers, queue, disk, settings, versions and recent failures."""
        return self._api.read("GET", "/system", SystemReport)

    def check_alive(self) -> None:
        """Return if the API's process answers."""
        self._api.tell("GET", "/livez")

    def check_ready(self) -> None:
        """Return if the API can take requests; raise `ApiError` while its database is away."""
        self._api.tell("GET", "/readyz")

    def get_metrics(self) -> str:
        """Return the figures for Prometheus, in its text format."""
        with self._api.stream("GET", "/metrics") as answer:
            return answer.text
