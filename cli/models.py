"""stemcrate models: separator models and their weights."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.progress import DownloadColumn, Progress
from rich.table import Table

from cli.output import err, out, print_json
from config import settings
from core.errors import ModelUnavailable, UnsafeWeights
from core.separation.weights.model_info import ModelInfo
from core.separation.weights.store import WeightsStore
from core.separation.weights.user_models import list_refused

app = typer.Typer(help="Separator models and their weights.", no_args_is_help=True)
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Name = Annotated[str, typer.Argument(help="A model's name, such as htdemucs.")]


def _weights() -> WeightsStore:
    return WeightsStore(settings().model_dir)


@app.command("list")
def list_models(json: AsJson = False) -> None:
    """List models, their availability and their weights."""
    weights = _weights()
    default, reason = weights.resolve_auto("auto")
    models = describe_models(weights)
    refused = list_refused(settings().model_dir)
    if json:
        print_json({"default": default, "reason": reason, "models": models, "refused": refused})
        return
    licences = list(dict.fromkeys(model["licence"] for model in models))
    table = Table("Model", "Stems", "Weights", "SHA-256", "Licence")
    for model in models:
        number = licences.index(model["licence"]) + 1
        digest = (model["sha256"] or "–")[:12]
        stems = ", ".join(model["stems"])
        table.add_row(model["name"], stems, model["status"], digest, f"({number})")
    out.print(table)
    for number, licence in enumerate(licences, start=1):
        out.print(f"({number}) {licence}")
    for model in models:
        if model["place"] == "model_dir":
            digest = model["sha256"] or "not verified"
            out.print(f"{model['name']}: from {model['source']}, SHA-256 {digest}")
    for name, why in refused.items():
        err.print(f"{name} is left out: {why}")
    out.print(f"Default, {default}: {reason}")


def describe_models(weights: WeightsStore) -> list[dict[str, Any]]:
    """Describe each model; local weights are read and verified."""
    return [_describe(weights, info) for info in weights.models()]


def _describe(weights: WeightsStore, info: ModelInfo) -> dict[str, Any]:
    place = sha256 = None
    status = "here"
    try:
        location = weights.locate(info.name)
        place = location and location.place
        sha256 = location and location.verify()
        weights.require(info.name)
    except UnsafeWeights as error:
        status = error.message
    except ModelUnavailable as error:
        status = (error.hint or error.message).removeprefix("Run: ").rstrip(".")
    return {
        "name": info.name,
        "family": info.family,
        "stems": list(info.stems),
        "licence": info.licence,
        "source": info.source,
        "description": info.description,
        "available": status == "here",
        "status": status,
        "place": place,
        "sha256": sha256,
    }


@app.command()
def fetch(name: Name) -> None:
    """Download a model's weights to MODEL_DIR, or to the hub's cache."""
    with Progress(*Progress.get_default_columns(), DownloadColumn(), console=err) as bar:
        task = bar.add_task(f"fetching {name}", total=None)
        path = _weights().fetch(name, lambda n, of: bar.update(task, completed=n, total=of))
    typer.echo(path)


@app.command("import")
def import_weights(
    name: Annotated[Literal["musicnn"], typer.Argument(help="The model of an enricher.")],
    wheel: Annotated[Path, typer.Argument(help="The wheel that publishes it.")],
) -> None:
    """Take the weights of an enricher out of a wheel, which is not installed."""
    from core.enrichment.musicnn.weights import import_wheel

    typer.echo(import_wheel(wheel, settings().enricher_settings().weights_dir))


@app.command()
def path(name: Annotated[str | None, typer.Argument(help="A model's name.")] = None) -> None:
    """Print where weights are searched for, or where those of one model are."""
    weights = _weights()
    if name is None:
        for folder in weights.folders():
            typer.echo(folder)
        return
    for file in weights.require(name).files:
        typer.echo(Path(file))
