"""stemcrate doctor: devices, memory, models and libraries, their speed and problems."""

import shutil
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from cli.models import describe_models
from cli.output import EXIT_FAILED, err, out, print_json
from config import Settings, settings
from core.errors import StemcrateError
from core.separation.device import resolve_device
from core.separation.weights.store import WeightsStore
from core.separation.weights.user_models import list_refused
from core.system.atomic import atomic_path
from core.system.disk import create_data_dir

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@dataclass
class _Report:
    """The findings; ``problems`` are sentences about what is broken."""

    devices: list[dict[str, Any]] = field(default_factory=list)
    device: dict[str, Any] = field(default_factory=dict)
    memory: dict[str, Any] = field(default_factory=dict)
    data_dir: dict[str, Any] = field(default_factory=dict)
    models: list[dict[str, Any]] = field(default_factory=list)
    refused_models: dict[str, str] = field(default_factory=dict)
    model: dict[str, Any] = field(default_factory=dict)
    libraries: dict[str, str] = field(default_factory=dict)
    benchmark: dict[str, Any] | None = None
    problems: list[str] = field(default_factory=list)


def doctor(json: AsJson = False) -> None:
    """Check this installation and measure the default model; exit code 1 if something is broken."""
    report = _Report()
    _look_at_the_machine(report, settings())
    _look_at_the_models(report, settings())
    if report.device and report.model:
        with err.status(f"measuring {report.model['used'][0]} on {report.device['used']}"):
            _measure(report, settings())
    if json:
        print_json(asdict(report))
    else:
        _print(report)
    if report.problems:
        raise typer.Exit(EXIT_FAILED)


def _look_at_the_machine(report: _Report, chosen: Settings) -> None:
    # Imported late: no other command waits for decoders and separators.
    from core.audio.libraries import library_versions, missing_codecs
    from core.separation.benchmark import list_devices, measure_memory

    report.devices = [asdict(device) for device in list_devices()]
    try:
        device = resolve_device(chosen.device)
        report.device = {
            "requested": chosen.device,
            "used": device.name,
            "reason": device.reason,
        }
    except StemcrateError as error:
        report.problems.append(_sentence(error))
    report.memory = asdict(measure_memory())
    report.libraries = library_versions()
    missing = missing_codecs()
    if missing:
        report.problems.append(
            f"This FFmpeg lacks {', '.join(missing)}. Install PyAV from its wheels: pip install av."
        )
    report.data_dir = {"path": str(chosen.data_dir), "free_bytes": None}
    try:
        create_data_dir(chosen.data_dir)
        with atomic_path(chosen.data_dir / ".doctor") as probe:
            probe.write_bytes(b"stemcrate")
        (chosen.data_dir / ".doctor").unlink()
        report.data_dir["free_bytes"] = shutil.disk_usage(chosen.data_dir).free
    except (OSError, StemcrateError) as error:
        report.problems.append(f"DATA_DIR, {chosen.data_dir}, cannot be written to: {error}.")


def _look_at_the_models(report: _Report, chosen: Settings) -> None:
    from core.pipeline.separating import plan_separation

    weights = WeightsStore(chosen.model_dir)
    report.models = describe_models(weights)
    report.refused_models = list_refused(chosen.model_dir)
    try:
        plan = plan_separation(chosen.default_options(), chosen.model_dir)
    except StemcrateError as error:
        report.problems.append(_sentence(error))
        return
    report.model = {
        "requested": chosen.separator_model,
        "preset": chosen.preset,
        "used": list(plan.models),
        "reason": plan.reason,
    }


def _measure(report: _Report, chosen: Settings) -> None:
    from core.separation.benchmark import measure_speed
    from core.separation.models.factory import SeparatorFactory

    name = report.model["used"][0]
    try:
        model = SeparatorFactory.create(name, device=chosen.device, model_dir=chosen.model_dir)
        speed = measure_speed(model)
    except StemcrateError as error:
        report.problems.append(_sentence(error))
        return
    report.benchmark = {"model": name, "device": model.device, **asdict(speed)}


def _print(report: _Report) -> None:
    table = Table("Device", "Here", "What", "Memory")
    for device in report.devices:
        memory = _size(device["total_bytes"])
        free = _size(device["free_bytes"])
        memory = memory if device["total_bytes"] is None else f"{free} of {memory} free"
        here = "yes" if device["is_present"] else "no"
        table.add_row(device["name"], here, device["description"], memory)
    out.print(table)
    table = Table("Model", "Weights", "SHA-256", "Where")
    for model in report.models:
        digest = (model["sha256"] or "–")[:12]
        table.add_row(model["name"], model["status"], digest, model["place"] or "–")
    out.print(table)
    lines = [*_facts(report), *(f"{name}: {why}" for name, why in report.refused_models.items())]
    for line in lines:
        out.print(line)
    for problem in report.problems:
        err.print(Text.assemble(Text("problem", style="bold red"), f": {problem}"))
    if not report.problems:
        out.print("Nothing that is needed is broken.")


def _facts(report: _Report) -> list[str]:
    libraries = ", ".join(f"{name} {version}" for name, version in report.libraries.items())
    memory = report.memory
    lines = [
        f"Memory: {_size(memory['available_bytes'])} of {_size(memory['total_bytes'])} available",
        f"Disk: {_size(report.data_dir['free_bytes'])} free in {report.data_dir['path']}",
        f"FFmpeg and libsndfile: {libraries}",
    ]
    if report.device:
        lines.append(f"Will run on {report.device['used']}: {report.device['reason']}")
    if report.model:
        used = ", ".join(report.model["used"])
        lines.append(f"Will separate with {used}: {report.model['reason']}")
    if report.benchmark:
        speed = report.benchmark
        lines.append(
            f"Benchmark: {speed['model']} on {speed['device']} took {speed['seconds']:.1f} s for "
            f"{speed['audio_s']:.1f} s of audio, {speed['realtime_factor']:.2f} times real time"
        )
    return lines


def _size(n_bytes: int | None) -> str:
    return "–" if n_bytes is None else f"{n_bytes / 1e9:.1f} GB"


def _sentence(error: StemcrateError) -> str:
    return f"{error.message} {error.hint or ''}".strip()
