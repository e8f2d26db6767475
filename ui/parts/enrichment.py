"""What enrichers found about a track: tags, estimates, and why one found nothing."""

import streamlit as st

from stemcrate.client import ClientError
from stemcrate.schemas.enrichment import EnricherOutcome, Enrichment
from ui.buttons import pressed
from ui.connection import Workbench
from ui.kept import kept
from ui.language import mark, t
from ui.parts.markup import meter, show_html, show_section, table
from ui.parts.messages import show_error, show_failure
from ui.text import escape_html, percent

MAX_TAGS = 10
ESTIMATES = (
    ("danceability", mark("Danceability")),
    ("valence", mark("Valence")),
    ("arousal", mark("Arousal")),
)


def show_enrichment(client: Workbench, track_id: str, enrichment: Enrichment) -> None:
    """Show what was found, and offer to look again where enrichers are switched on."""
    rows = [row for outcome in enrichment.outcomes for row in outcome_rows(outcome)]
    config = kept().config or client.get_config()
    kept().config = config
    if not rows and not config.enrichers:
        return
    show_section(t("Character"))
    if rows:
        show_html(table([t("Fact"), t("Value"), t("Method")], rows))
        st.caption(t("These numbers rank the tracks of a library; they decide nothing."))
    for outcome in enrichment.outcomes:
        if outcome.error is not None:
            show_failure(outcome.error, of=outcome.enricher)
    if config.enrichers and pressed(t("Enrich"), icon=":material/auto_awesome:", key="enrich"):
        try:
            client.create_enrichment([track_id])
        except ClientError as error:
            show_error(error)
        else:
            st.info(t("A worker looks at this track. Load the page again in a while."))


def outcome_rows(outcome: EnricherOutcome) -> list[list[str]]:
    """Return the rows of one enricher as markup."""
    rows = [
        [t(label), f"{meter(found.value)} {percent(found.value)}", escape_html(found.method)]
        for name, label in ESTIMATES
        if (found := getattr(outcome, name)) is not None
    ]
    for proposal in outcome.proposals:
        named = [name for name in (proposal.artist, proposal.title) if name]
        text = escape_html(" – ".join(named) or proposal.recording_id)
        model = escape_html(outcome.model)
        rows.append([t("Proposed"), f"{text} {percent(proposal.score)}", model])
    if outcome.tags:
        tags = " · ".join(
            f"{escape_html(tag.name)} {percent(tag.score)}" for tag in outcome.tags[:MAX_TAGS]
        )
        rows.append([t("Tags"), tags, escape_html(outcome.model)])
    return rows
