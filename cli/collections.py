"""stemcrate library collection: tracks that belong together, and searches that are kept."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from cli.library import AsJson, DataDir, find_track, open_library
from cli.option_model import Asked, OptionsOf, with_options
from cli.output import out, print_json
from core.errors import CollectionNotFound
from core.system.validation import validate
from stemcrate.schemas.collections import CollectionChange, CollectionRequest, KeptFilter

if TYPE_CHECKING:
    from core.library.library import Library
    from core.library.records.record import CollectionRecord

app = typer.Typer(help="Collections of the library, and smart ones.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="A collection: its name or id.", metavar="COLLECTION")]
Tracks = Annotated[
    list[str], typer.Argument(help="Tracks: their files, or the beginnings of their ids.")
]


@app.command("list")
def list_collections(data_dir: DataDir = None, json: AsJson = False) -> None:
    """List all collections; `library search --collection ID` lists the tracks of one."""
    library = open_library(data_dir)
    _print(library, library.collections.all(), json)


@app.command()
@with_options
def create(
    name: Annotated[str, typer.Argument(help="Name of the new collection.")],
    asked: Annotated[Asked, OptionsOf(KeptFilter)],
    tracks: Annotated[
        list[str] | None,
        typer.Argument(help="Tracks: their files, or the beginnings of their ids."),
    ] = None,
    data_dir: DataDir = None,
    json: AsJson = False,
) -> None:
    """Create a collection of tracks; with options of a search instead, a smart one."""
    library = open_library(data_dir)
    wish = {
        "name": name,
        "tracks": [find_track(library, track) for track in tracks or ()],
        "query": asked or None,
    }
    _print(library, [library.collections.create(validate(CollectionRequest, wish))], json)


@app.command()
def add(collection: Name, tracks: Tracks, data_dir: DataDir = None, json: AsJson = False) -> None:
    """Add tracks to a collection."""
    library = open_library(data_dir)
    ids = [find_track(library, track) for track in tracks]
    _change(library, collection, CollectionChange(add=ids), json)


@app.command()
def remove(
    collection: Name, tracks: Tracks, data_dir: DataDir = None, json: AsJson = False
) -> None:
    """Remove tracks from a collection; they stay in the library."""
    library = open_library(data_dir)
    ids = [find_track(library, track) for track in tracks]
    _change(library, collection, CollectionChange(remove=ids), json)


@app.command()
def rename(
    collection: Name,
    name: Annotated[str, typer.Argument(help="The new name.")],
    data_dir: DataDir = None,
    json: AsJson = False,
) -> None:
    """Rename a collection."""
    library = open_library(data_dir)
    _change(library, collection, validate(CollectionChange, {"name": name}), json)


@app.command()
def delete(collection: Name, data_dir: DataDir = None, json: AsJson = False) -> None:
    """Delete a collection; its tracks stay in the library."""
    library = open_library(data_dir)
    record = _find(library, collection)
    library.collections.delete(record.id)
    print_json({"deleted": record.id}) if json else out.print(f"'{record.name}' is deleted.")


def _find(library: "Library", text: str) -> "CollectionRecord":
    """Find a collection by its name, else by its id. Raises `CollectionNotFound`."""
    named = [c for c in library.collections.all() if c.name.casefold() == text.casefold()]
    if len(named) > 1:
        raise CollectionNotFound(
            f"{len(named)} collections are called '{text}'.",
            hint="Give the id of one: stemcrate library collection list --json",
        )
    return named[0] if named else library.collections.get(text)


def _change(library: "Library", collection: str, change: CollectionChange, json: bool) -> None:
    record = library.collections.change(_find(library, collection).id, change)
    _print(library, [record], json)


def _print(library: "Library", records: "list[CollectionRecord]", json: bool) -> None:
    from core.library.collections import describe_collection

    collections = [describe_collection(library, record) for record in records]
    if json:
        print_json({"collections": [c.model_dump(mode="json") for c in collections]})
        return
    table = Table("Name", "Tracks", "Search", "Id")
    for collection in collections:
        query = collection.query.model_dump(exclude_defaults=True) if collection.query else {}
        words = ", ".join(f"{name} {value}" for name, value in query.items())
        table.add_row(collection.name, str(collection.n_tracks), words, collection.id)
    out.print(table)
