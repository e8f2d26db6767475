"""The ``stemcrate`` command. Results go to stdout, progress and logs to stderr."""

import sys

import typer

from cli.analyze import analyze
from cli.doctor import doctor
from cli.library import app as library_app
from cli.models import app as models_app
from cli.output import fail
from cli.playlist import app as playlist_app
from cli.process import process
from cli.serve import serve, worker
from core.errors import StemcrateError

app = typer.Typer(
    name="stemcrate",
    help="Stems that add up to the song, the facts a DJ needs, and sets that mix.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(process)
app.command()(analyze)
app.command()(serve)
app.command()(worker)
app.command()(doctor)
app.add_typer(models_app, name="models")
app.add_typer(library_app, name="library")
app.add_typer(playlist_app, name="playlist")


def main() -> None:
    """Run the command line; errors of ours become one clear message and exit code 1."""
    try:
        app()
    except StemcrateError as error:
        sys.exit(fail(error))


if __name__ == "__main__":
    main()
