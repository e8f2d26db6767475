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
