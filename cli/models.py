"""stemcrate models: which separator models there are, and their weights."""

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress
from rich.table import Table

from cli.output import err, out, print_json
from config import settings
from core.separation.weights import WeightsStore

app = typer.Typer(help="Separator models and their weights.", no_args_is_help=True)
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Name = Annotated[str, typer.Argument(help="A model's name, such as htdemucs.")]


def _weights() -> WeightsStore:
    return WeightsStore(settings().model_dir)


@app.command("list")
def list_models(json: AsJson = False) -> None:
    """List the models, and which of them can run now."""
    weights = _weights()
    default, reason = weights.resolve_auto("auto")
    models = [
        {
            "name": info.name,
            "family": info.family,
            "stems": list(info.stems),
            "licence": info.licence,
            "available": weights.is_available(info.name),
        }
        for info in weights.models()
    ]
    if json:
        print_json({"default": default, "reason": reason, "models": models})
        return
    licences = list(dict.fromkeys(str(model["licence"]) for model in models))
    table = Table("Model", "Stems", "Weights", "Licence")
    for model in models:
        there = "here" if model["available"] else f"stemcrate models fetch {model['name']}"
        number = licences.index(str(model["licence"])) + 1
        table.add_row(str(model["name"]), ", ".join(model["stems"]), there, f"({number})")
    out.print(table)
    for number, licence in enumerate(licences, start=1):
        out.print(f"({number}) {licence}", markup=False)
    out.print(f"Default, {default}: {reason}", markup=False)


@app.command()
def fetch(name: Name) -> None:
    """Download a model's weights into MODEL_DIR, or into the hub's cache."""
    with Progress(console=err) as bar:
        task = bar.add_task(f"fetching {name}", total=1.0)
        path = _weights().fetch(name, lambda part: bar.update(task, completed=part))
    typer.echo(path)


@app.command()
def path(name: Annotated[str | None, typer.Argument(help="A model's name.")] = None) -> None:
    """Print where weights are looked for, or where those of one model lie."""
    weights = _weights()
    if name is None:
        for folder in weights.folders():
            typer.echo(folder)
        return
    for file in weights.require(name).files:
        typer.echo(Path(file))
