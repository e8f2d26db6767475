"""The enrichers; packages add theirs."""

from core.enrichment.acoustid import AcoustidEnricher
from core.enrichment.character import CharacterEnricher
from core.enrichment.enricher import Enricher
from core.enrichment.musicnn.enricher import MusicnnEnricher
from core.enrichment.settings import EnricherSettings
from core.errors import InvalidOption
from core.system.registry import Registry

ENRICHERS: Registry[type[Enricher]] = Registry(
    "stemcrate.enrichers",
    lambda name, item: isinstance(item, type) and issubclass(item, Enricher) and item.name == name,
    (
        (enricher.name, enricher)
        for enricher in (CharacterEnricher, MusicnnEnricher, AcoustidEnricher)
    ),
)


def find_enrichers(settings: EnricherSettings) -> list[type[Enricher]]:
    """Return the enrichers that are switched on.

    Raises
    ------
    InvalidOption : none is, or one is unknown.
    PluginFailed : a package that provides one cannot be loaded.
    """
    known = ", ".join(ENRICHERS.names())
    if not settings.names:
        raise InvalidOption("No enricher is switched on.", hint=f"Name some in ENRICHERS: {known}.")
    for name in settings.names:
        if name not in ENRICHERS:
            raise InvalidOption(
                f"There is no enricher '{name}'.", hint=f"ENRICHERS may name: {known}."
            )
    return [ENRICHERS.get(name) for name in settings.names]
