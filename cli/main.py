"""The ``stemcrate`` command. Results go to stdout, progress and logs to stderr."""

import sys

import typer
from pydantic import ValidationError

from cli.analyze import analyze
from cli.backup import backup, restore
from cli.collections import app as collection_app
from cli.corrections import correct, show, undo
from cli.decks import app as decks_app
from cli.doctor import doctor
from cli.enrich import enrich
from cli.ingest import ingest
from cli.job import app as job_app
from cli.keys import app as keys_app
from cli.library import app as library_app
from cli.models import app as models_app
from cli.output import fail
from cli.playlist import app as playlist_app
from cli.process import process
from cli.render import app as render_app
from cli.serve import api, serve, workbench, worker
from cli.watch import watch
from core.errors import InvalidOption, StemcrateError

app = typer.Typer(
    name="stemcrate",
    help="Stems that sum to the song, the facts a DJ needs, and sets that mix.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",  # other modes interpret [brackets] as styles
)
app.command()(process)
app.command()(analyze)
app.command()(ingest)
app.command()(watch)
app.command()(serve)
app.command()(api)
app.command()(worker)
app.command("ui")(workbench)
app.command()(doctor)
app.command()(backup)
app.command()(restore)
app.add_typer(job_app, name="job")
for command in (show, correct, undo, enrich):
    library_app.command()(command)
library_app.add_typer(collection_app, name="collection")
app.add_typer(models_app, name="models")
app.add_typer(library_app, name="library")
app.add_typer(playlist_app, name="playlist")
app.add_typer(render_app, name="render")
app.add_typer(decks_app, name="decks")
app.add_typer(keys_app, name="keys")


def main() -> None:
    """Run the command line; a `StemcrateError` becomes a message and an exit code."""
    try:
        app()
    except StemcrateError as error:
        sys.exit(fail(error))
    except ValidationError as error:
        if error.title != "Settings":
            raise
        sys.exit(fail(_name_setting(error)))


def _name_setting(error: ValidationError) -> InvalidOption:
    first = error.errors(include_url=False)[0]
    name = str(first["loc"][0]).upper()
    return InvalidOption(
        f"The setting {name} cannot be {first['input']!r}.",
        hint=f"{first['msg']}. Settings come from the environment and from .env.",
        field=name,
    )


if __name__ == "__main__":
    main()
