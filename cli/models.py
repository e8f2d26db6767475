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
    models = weights.models()
    here = {info.name: weights.is_available(info.name) for info in models}
    if json:
        described = [
            {
                "name": info.name,
                "family": info.family,
                "stems": list(info.stems),
                "licence": info.licence,
                "available": here[info.name],
            }
            for info in models
        ]
        print_json({"default": default, "reason": reason, "models": described})
        return
    licences = list(dict.fromkeys(info.licence for info in models))
    table = Table("Model", "Stems", "Weights", "Licence")
    for info in models:
        there = "here" if here[info.name] else f"stemcrate models fetch {info.name}"
        number = licences.index(info.licence) + 1
        table.add_row(info.name, ", ".join(info.stems), there, f"({number})")
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
