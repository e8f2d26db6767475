"""Decks of players as markup, and what the library has for what plays on them."""

from stemcrate.schemas.decks import Deck, DeckDevice, DecksReport, DeviceState
from ui.colours import camelot_colour
from ui.language import t
from ui.parts.markup import meter
from ui.places import library_track_link
from ui.text import UNKNOWN, escape_html, length, number

BEATS_IN_BAR = 4


def player_name(device: DeckDevice) -> str:
    """Return what a player is called on screen."""
    return f"{device.name} {device.player}" if device.player else device.name


def decks_list(device: DeckDevice) -> str:
    """Return the decks of a player as markup."""
    items = "".join(f"<li>{_deck(deck)}</li>" for deck in device.decks)
    return f'<ol class="sc-set sc-decks">{items}</ol>'


def track_name(track: Deck) -> str:
    """Return artist and title of what a deck has loaded."""
    return " – ".join(filter(None, (track.artist, track.title))) or track.path or UNKNOWN


def heard_deck(report: DecksReport) -> Deck | None:
    """Return the deck that is heard most: that plays, with the highest fader, the master first."""
    playing = [
        deck
        for device in report.devices
        if device.state == DeviceState.CONNECTED
        for deck in device.decks
        if deck.is_playing
    ]
    return max(
        playing,
        key=lambda deck: (1.0 if deck.fader is None else deck.fader, deck.is_master),
        default=None,
    )


def _deck(deck: Deck) -> str:
    place = f'<span class="sc-place">{deck.number}</span>'
    if not deck.is_loaded:
        return f'<div class="sc-song">{place}<span class="sc-title">{t("empty")}</span></div>'
    title = escape_html(track_name(deck))
    if deck.track_id:
        link = escape_html(library_track_link(deck.track_id))
        title = f'<a class="sc-title" href="{link}" target="_self">{title}</a>'
    else:
        title = f'<span class="sc-title">{title}</span>'
    key = (
        f'<span class="sc-chip" style="--sc:{camelot_colour(deck.camelot)}">'
        f"{escape_html(deck.camelot or UNKNOWN)}</span>"
    )
    texts = [
        t("plays") if deck.is_playing else t("stands"),
        *([t("tempo master")] if deck.is_master else []),
        f"{number(deck.tempo_bpm)} BPM",
        length(deck.position_s),
    ]
    chips = "".join(f'<span class="sc-chip">{escape_html(text)}</span>' for text in texts)
    return f'<div class="sc-song">{place}{title}{key}{chips}{_phase(deck)}{_fader(deck)}</div>'


def _phase(deck: Deck) -> str:
    if deck.bar is None or deck.beat_in_bar is None:
        return ""
    dots = "".join(
        "●" if place == deck.beat_in_bar else "○" for place in range(1, BEATS_IN_BAR + 1)
    )
    words = t("Bar {bar}, beat {beat}", bar=deck.bar, beat=deck.beat_in_bar)
    return (
        f'<span class="sc-chip">{escape_html(words)} <span aria-hidden="true">{dots}</span></span>'
    )


def _fader(deck: Deck) -> str:
    if deck.fader is None:
        return ""
    words = t("Fader {n} %", n=round(100 * deck.fader))
    return f'<span class="sc-chip">{escape_html(words)} {meter(deck.fader)}</span>'
