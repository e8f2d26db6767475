"""stemcrate render: mixes and transitions as files, made on this machine."""

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from cli.library import AsJson, DataDir, find_track, open_library
from cli.option_model import Asked, OptionsOf, with_options
from cli.output import err, out, print_json
from config import storage_at
from core.artifacts.store import JobStore
from core.errors import InvalidOption
from core.system.validation import validate
from stemcrate.schemas.renders import Lane, MixRequest, RenderTrack, TransitionRequest

# The commands import what renders audio themselves: no other command waits for it.
if TYPE_CHECKING:
    from core.library.library import Library
    from core.rendering.plan import RenderPlan

app = typer.Typer(help="Mixes of stems and transitions, as files.", no_args_is_help=True)
Option = typer.Option
_TRACK_HELP = "its file or the beginning of its id in the library, or `JOB:INDEX`."
_GIVEN_BY_ARGUMENTS = ("kind", "outgoing", "incoming", "transition")
Out = Annotated[
    Path | None,
    Option("--out", help="File to write, or a folder for it; by default the current folder."),
]


@app.command()
@with_options
def mix(
    job: Annotated[str, typer.Argument(help="The id of a job that delivered stems.")],
    asked: Annotated[Asked, OptionsOf(MixRequest, without=("kind", "job_id", "lanes"))],
    gain: Annotated[list[str] | None, Option(help="Gain of a stem in dB: `vocals=-6`.")] = None,
    pan: Annotated[list[str] | None, Option(help="Pan of a stem, −1 to 1: `drums=0.2`.")] = None,
    mute: Annotated[list[str] | None, Option(help="A stem to leave out.")] = None,
    solo: Annotated[list[str] | None, Option(help="A stem to play alone, with others so.")] = None,
    out_path: Out = None,
    data_dir: DataDir = None,
    json: AsJson = False,
) -> None:
    """Mix the stems of a track: gains, pans, a range, another tempo or pitch."""
    from core.rendering.mix import plan_mix
    from core.rendering.sources import find_job_track, stem_labels

    store = JobStore(storage_at(data_dir))
    request = validate(MixRequest, {**asked, "job_id": job})
    track = find_job_track(store, job, request.track_index)
    lanes = _read_lanes(stem_labels(track), gain or [], pan or [], mute or [], solo or [])
    plan = plan_mix(store, request.model_copy(update={"lanes": lanes}))
    _write(plan, out_path or Path(), json)


@app.command()
@with_options
def transition(
    outgoing: Annotated[str, typer.Argument(help=f"The track that ends: {_TRACK_HELP}")],
    incoming: Annotated[str, typer.Argument(help="The track that begins, named alike.")],
    asked: Annotated[Asked, OptionsOf(TransitionRequest, without=_GIVEN_BY_ARGUMENTS)],
    out_path: Out = None,
    data_dir: DataDir = None,
    json: AsJson = False,
) -> None:
    """Preview how one track mixes into another, on the beat."""
    from core.rendering.transition import plan_transition

    store = JobStore(storage_at(data_dir))
    library = open_library(data_dir)
    sides = {
        name: _find_side(store, library, text)
        for name, text in (("outgoing", outgoing), ("incoming", incoming))
    }
    request = validate(TransitionRequest, {**asked, **sides})
    _write(plan_transition(store, library, request), out_path or Path(), json)


def _find_side(store: JobStore, library: "Library", text: str) -> RenderTrack:
    """Read ``job`` or ``job:index``; anything else is a track of the library."""
    job_id, _, index = text.partition(":")
    if store.exists(job_id):
        return validate(RenderTrack, {"job_id": job_id, "track_index": index or 0})
    return RenderTrack(track_id=find_track(library, text))


def _read_lanes(
    labels: list[str], gains: list[str], pans: list[str], muted: list[str], soloed: list[str]
) -> dict[str, Lane]:
    """Apply the options to all stems."""
    settings_of: dict[str, dict[str, object]] = {label: {} for label in labels}
    for option, name, values in (("gain", "gain_db", gains), ("pan", "pan", pans)):
        for text in values:
            label, separator, value = text.partition("=")
            if not separator:
                raise InvalidOption(
                    f"'{text}' is not of the form stem=number.",
                    hint=f"Write --{option} vocals=-0.5, for example.",
                    field=option,
                )
            _lane_of(settings_of, label, option)[name] = value
    for option, named in (("mute", muted), ("solo", soloed)):
        for label in named:
            _lane_of(settings_of, label, option)
    for label, lane in settings_of.items():
        lane["muted"] = label in muted or (bool(soloed) and label not in soloed)
    return {label: validate(Lane, lane) for label, lane in settings_of.items()}


def _lane_of(
    settings_of: dict[str, dict[str, object]], label: str, option: str
) -> dict[str, object]:
    if label not in settings_of:
        raise InvalidOption(
            f"There is no stem '{label}'.",
            hint=f"Choose among {', '.join(settings_of) or 'none: the job separated nothing'}.",
            field=option,
        )
    return settings_of[label]


def _write(plan: "RenderPlan", target: Path, json: bool) -> None:
    """Render to a file, with a progress bar; Ctrl-C leaves nothing."""
    from core.rendering.file import Finished

    folder = target if target.is_dir() else target.parent
    if not folder.is_dir():
        raise InvalidOption(f"There is no folder {folder}.", hint="Create it.", field="out")
    path = target / plan.target.name if target.is_dir() else target
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.percentage:3.0f} %"),
        TimeElapsedColumn(),
    )
    with TemporaryDirectory(dir=folder, prefix=".render-") as work:
        with Progress(*columns, console=err) as bar:
            task = bar.add_task(path.name[:40], total=1.0)
            for step in plan.render(Path(work)):
                if isinstance(step, Finished):
                    finished = step
                else:
                    bar.update(task, completed=step)
        shutil.move(finished.path, path)
    warnings = [warning.message for warning in finished.warnings]
    if json:
        file = finished.file.model_dump(mode="json") | {"name": path.name}
        print_json({"path": str(path.resolve()), "file": file, "warnings": warnings})
        return
    for warning in warnings:
        out.print(f"warning: {warning}")
    out.print(f"{path.resolve()} ({finished.file.duration_s:.2f} s)", soft_wrap=True)
