"""stemcrate decks: what the decks of players on the network play."""

import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from cli.output import err, format_value, out, print_json
from config import settings
from core.decks.device import FILE_TRANSFER
from core.decks.watcher import DeckWatcher
from stemcrate.schemas.decks import Deck, DeckDevice, DecksReport

app = typer.Typer(help="Players on the network (StageLinQ).", invoke_without_command=True)
LISTEN_S = 3.0
"""How long players have to announce themselves and tell what they play."""
_LOOK_EVERY_S = 0.25
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON: one object, or one a change.")]


@app.callback(invoke_without_command=True)
def decks(
    context: typer.Context,
    follow: Annotated[
        bool, typer.Option("--follow", help="Go on and tell of changes, until Ctrl-C.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Show what the decks of players (Denon DJ, StageLinQ) on the network play.

    Listens for 3 seconds on DECK_INTERFACES. Needs no server, and no DECKS=on.
    """
    if context.invoked_subcommand is not None:
        return
    installation = settings()
    watcher = DeckWatcher(installation.deck_interfaces, port=installation.deck_port)
    with closing(watcher), suppress(KeyboardInterrupt):
        for report in _reports(watcher, follow=follow):
            if json:
                print_json(report.model_dump(mode="json"))
            else:
                _print(report)


@app.command()
def fetch(
    player: Annotated[str, typer.Argument(help="Name, address or id of a player.")],
    to: Annotated[Path, typer.Option(file_okay=False, help="Folder to copy to.")],
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Copy the databases of Engine DJ from the drives in PLAYER to a folder.

    Each lies below the name of its drive, as m.db. Databases there are replaced.
    """
    installation = settings()
    watcher = DeckWatcher(installation.deck_interfaces, port=installation.deck_port)
    with closing(watcher):
        _wait_for(watcher, player)
        paths = [str(path) for path in watcher.fetch_databases(player, to)]
    if json:
        print_json({"files": paths})
        return
    for path in paths:
        out.print(path)


def _wait_for(watcher: DeckWatcher, player: str) -> None:
    """Wait until a player offers files, `LISTEN_S` at most."""
    until_s = time.monotonic() + LISTEN_S
    while time.monotonic() < until_s:
        for device in watcher.report().devices:
            is_meant = player in (device.id, device.address, device.name)
            if is_meant and FILE_TRANSFER in device.services:
                return
        time.sleep(_LOOK_EVERY_S)


def _reports(watcher: DeckWatcher, *, follow: bool) -> Iterator[DecksReport]:
    """Yield the report after a while; with ``follow``, whenever more than positions changed."""
    if not follow:
        time.sleep(LISTEN_S)
        yield watcher.report()
        return
    last: list[DeckDevice] | None = None
    while True:
        report = watcher.report()
        standing = _without_positions(report)
        if standing != last:
            last = standing
            yield report
        time.sleep(_LOOK_EVERY_S)


def _without_positions(report: DecksReport) -> list[DeckDevice]:
    """Return the players without what changes all the time."""
    moving = dict.fromkeys(("position_s", "beat", "bar", "beat_in_bar"))
    devices = [device.model_copy() for device in report.devices]
    for device in devices:
        device.decks = [deck.model_copy(update=moving) for deck in device.decks]
    return devices


def _print(report: DecksReport) -> None:
    if report.error:
        err.print(report.error)
    if not report.devices:
        out.print("No player is heard.")
        return
    table = Table("Player", "Deck", "Track", "State", "BPM", "Key", "Bar", "Fader")
    for device in report.devices:
        name = f"{device.name} {device.player or ''}".strip()
        if not device.decks:
            table.add_row(name, "–", device.error or "–", device.state, *"––––")
        for deck in device.decks:
            table.add_row(name, str(deck.number), *_describe(deck))
    out.print(table)


def _describe(deck: Deck) -> tuple[str, ...]:
    name = " - ".join(filter(None, (deck.artist, deck.title))) or deck.path or "–"
    playing = "playing" if deck.is_playing else "stopped"
    return (
        name,
        playing if deck.is_loaded else "empty",
        format_value(deck.tempo_bpm, "{:.1f}"),
        deck.camelot or "–",
        format_value(deck.bar, "{}"),
        format_value(deck.fader, "{:.0%}"),
    )
