"""stemcrate keys: keys of the API."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from cli.output import err, out, print_json
from config import settings
from core.access.keys import ApiKey, Scope
from core.system.clock import now

if TYPE_CHECKING:
    from core.access.store import KeyStore

app = typer.Typer(help="Keys of the API.", no_args_is_help=True)
Option = typer.Option
AsJson = Annotated[bool, Option("--json", help="Print one JSON object.")]
KeyId = Annotated[str, typer.Argument(help="The id of a key, as `keys list` shows it.")]


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="What the key is for, such as `laptop`.")],
    owner: Annotated[
        str,
        Option(
            help="To whom belongs what is made with it; others do not see it. `local` is the user "
            "of this machine, with the command line.",
        ),
    ],
    scopes: Annotated[
        str,
        Option(
            help="What it permits, separated by commas: `read`, `write` (make, change, delete), "
            "`admin` (the installation), `people` (requests for people whom the workbench "
            "signed in).",
        ),
    ] = "read,write",
    expires_in_days: Annotated[
        float | None, Option(min=0, help="Days until it ends; none: never.", show_default=False)
    ] = None,
    json: AsJson = False,
) -> None:
    """Make a key and print it, once: only its hash is kept.

    From the first key on, the API demands one of every request but probes.
    """
    expires_at = None if expires_in_days is None else now() + timedelta(days=expires_in_days)
    made = _store().create(name, owner=owner, scopes=_read_scopes(scopes), expires_at=expires_at)
    _print_made(*made, as_json=json)


@app.command("list")
def list_keys(json: AsJson = False) -> None:
    """List all keys that were made, without their secrets."""
    keys = _store().all()
    if json:
        print_json({"keys": [_describe(key) for key in keys]})
        return
    table = Table("Id", "Name", "Owner", "Scopes", "State", "Created", "Last used")
    for key in keys:
        words = ", ".join(sorted(key.scopes))
        made, used = _date(key.created_at), _date(key.last_used_at)
        table.add_row(key.id, key.name, key.owner, words, _state(key), made, used)
    out.print(table)


@app.command()
def revoke(key_id: KeyId, json: AsJson = False) -> None:
    """End a key. The API refuses it within a second."""
    key = _store().revoke(key_id)
    if json:
        print_json(_describe(key))
    else:
        out.print(f"{key.id} ({key.name}) is revoked.")


@app.command()
def rotate(
    key_id: KeyId,
    overlap_hours: Annotated[
        float, Option(min=0, help="How long the old key goes on beside the new one.")
    ] = 0.0,
    json: AsJson = False,
) -> None:
    """Replace a key by a new one with the same owner, name, scopes and end, and print that."""
    made = _store().rotate(key_id, overlap=timedelta(hours=overlap_hours))
    _print_made(*made, as_json=json)


def _store() -> "KeyStore":
    # Imported late: no other command waits for SQLAlchemy.
    from core.access.store import KeyStore

    return KeyStore(settings().resolved_database_url())


def _read_scopes(text: str) -> set[Scope]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    try:
        return {Scope(name) for name in names}
    except ValueError as error:
        raise typer.BadParameter(
            f"{error}. Choose from {', '.join(Scope)}.", param_hint="--scopes"
        ) from error


def _print_made(key: ApiKey, text: str, *, as_json: bool) -> None:
    if as_json:
        print_json({**_describe(key), "key": text})
        return
    err.print(f"Key {key.id} ({key.name}) of {key.owner}. It is shown this once:", soft_wrap=True)
    typer.echo(text)


def _describe(key: ApiKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "owner": key.owner,
        "scopes": sorted(key.scopes),
        "state": _state(key),
        "created_at": _iso(key.created_at),
        "expires_at": _iso(key.expires_at),
        "revoked_at": _iso(key.revoked_at),
        "last_used_at": _iso(key.last_used_at),
    }


def _state(key: ApiKey) -> str:
    if key.revoked_at is not None:
        return "revoked"
    if not key.is_valid(now()):
        return "expired"
    return "valid" if key.expires_at is None else f"until {_date(key.expires_at)}"


def _date(at: datetime | None) -> str:
    return "–" if at is None else f"{at:%Y-%m-%d %H:%M}"


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
