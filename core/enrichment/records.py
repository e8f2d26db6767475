"""Runs of the enrichers on disk: what is asked for, and how far it has come.

enrichments/{id}.json
"""

from core.artifacts.tasks import TaskStore
from core.errors import EnrichmentNotFound
from stemcrate.schemas.enrichment import EnrichmentRunRecord


class EnrichmentRunStore(TaskStore[EnrichmentRunRecord]):
    """Runs of the enrichers. Safe to use from several threads and processes."""

    schema = EnrichmentRunRecord
    folder = "enrichments"
    lock = "enrichments"
    listed_at = "GET /library/enrichments"
    missing = EnrichmentNotFound
