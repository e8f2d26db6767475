"""Options of commands follow the fields of a model."""

import json
from typing import Annotated, Any, Literal

import pytest
import typer
from pydantic import BaseModel, BeforeValidator, Field
from typer.testing import CliRunner

from cli.option_model import Asked, OptionsOf, with_options
from stemcrate.schemas.options import ProcessingOptions


class Search(BaseModel):
    tempo_min_bpm: float | None = Field(None, ge=20, le=300, description="Lowest tempo [BPM].")
    vocals: Literal["with", "without"] | None = None
    is_descending: bool = False
    limit: int = Field(50, ge=1)
    keys: Annotated[tuple[str, ...], BeforeValidator(lambda text: tuple(text.split(",")))] = ()
    tracks: list[str] = []
    curve: str | list[tuple[float, float]] | None = None


app = typer.Typer(rich_markup_mode="markdown")


@app.command()
@with_options
def search(
    words: Annotated[list[str], typer.Argument()],
    asked: Annotated[Asked, OptionsOf(Search, without=("limit",))],
    page: Annotated[Asked, OptionsOf(Search, only=("limit",))],
    is_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Print what was asked for."""
    typer.echo(json.dumps([words, asked, page, is_json]))


def run(*arguments: str) -> Any:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    return json.loads(result.output)


def test_only_what_was_given_is_asked_for() -> None:
    """A default of the command line would override one of the installation."""
    assert run("a", "b") == [["a", "b"], {}, {}, False]


def test_values_are_read_by_the_types_of_their_fields() -> None:
    asked = run(
        *("a", "--tempo-min-bpm", "60", "--vocals", "with", "--no-is-descending", "--limit", "3"),
        *("--keys", "8A,9A", "--tracks", "x", "--tracks", "y,z", "--curve", "peak", "--json"),
    )
    assert asked == [
        ["a"],
        {
            "tempo_min_bpm": 60.0,
            "vocals": "with",
            "is_descending": False,
            "keys": "8A,9A",
            "tracks": ["x", "y,z"],
            "curve": "peak",
        },
        {"limit": 3},
        True,
    ]


def test_an_empty_list_is_a_value() -> None:
    """`--stages ''` runs no optional stage; it is not the same as no `--stages`."""
    assert run("a", "--keys", "")[1] == {"keys": ""}


@pytest.mark.parametrize(
    "arguments", [("--limit", "0"), ("--vocals", "maybe"), ("--tempo-min-bpm", "5")]
)
def test_what_a_field_forbids_is_wrong_usage(arguments: tuple[str, str]) -> None:
    result = CliRunner().invoke(app, ["a", *arguments])
    assert result.exit_code == 2
    assert arguments[0] in result.output


def test_brackets_in_a_description_are_printed() -> None:
    """Rich's own markup drops them as unknown styles."""
    assert "[BPM]" in CliRunner().invoke(app, ["--help"]).output


def test_every_job_option_has_a_description() -> None:
    """It is the help of the command line, of the form and of the docs."""
    fields = ProcessingOptions.model_fields
    assert [name for name, field in fields.items() if not field.description] == []
