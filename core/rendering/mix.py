"""A mix of one track's stems: planned from its request, then summed, stretched and written."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.artifacts.store import JobStore
from core.audio.buffer import Samples
from core.audio.stretching.stretch import TimeMap, play
from core.errors import InvalidOption
from core.rendering.file import (
    Finished,
    SumMeter,
    Target,
    choose_bit_depth,
    write_file,
    write_sum,
)
from core.rendering.gains import linear, pan_matrix
from core.rendering.sources import (
    LaneFile,
    find_job_track,
    find_outputs,
    require_files,
    stem_labels,
)
from stemcrate.schemas.manifest import TrackRecord
from stemcrate.schemas.renders import Lane, MixRequest

if TYPE_CHECKING:
    from core.audio.writing.wavefile import AudioReader

_END_TOLERANCE_S = 0.01
"""How far a range may end after the track: players round durations."""
_SUM_SHARE = 0.7
"""Share of the progress that ends with the sum; the rest is encoding."""


@dataclass(frozen=True, slots=True)
class MixPlan:
    """Everything that decides a mix; ``lanes`` are those that sound."""

    job_id: str
    lanes: tuple[tuple[LaneFile, Lane], ...]
    gain_db: float
    start_s: float
    end_s: float | None
    tempo_ratio: float
    pitch_semitones: float
    target: Target

    @property
    def job_ids(self) -> list[str]:
        """The jobs whose audio it uses."""
        return [self.job_id]

    @property
    def track_ids(self) -> list[str]:
        """The tracks of the library whose audio it uses."""
        return []

    def identity(self) -> dict[str, Any]:
        """Return what decides the result, without paths."""
        plan = asdict(self)
        plan["lanes"] = [
            (f.label, f.sha256, f.is_percussive, lane.model_dump()) for f, lane in self.lanes
        ]
        return plan

    def render(self, work: Path) -> Iterator[float | Finished]:
        """Make the mix in an empty folder; yield fractions, and last the finished file.

        Raises
        ------
        InvalidAudio : a stem cannot be read.
        InvalidOption : the range begins after the end of the track.
        UnsupportedFormat : the format does not support the sample rate.
        StorageFull : the disk is full.
        """
        yield from _render(self, work)


def plan_mix(store: JobStore, request: MixRequest) -> MixPlan:
    """Plan a mix.

    Raises
    ------
    JobNotFound, JobNotFinished : there is no such job, or its track is not ready.
    ArtefactNotFound : the job delivered no stems, or a file of them is gone.
    InvalidOption : it has no such track or lane, no lane sounds, or the range is beyond the end.
    UnsupportedFormat : the format does not hold the bit depth.
    """
    track = find_job_track(store, request.job_id, request.track_index)
    outputs = find_outputs(store, request.job_id, track)
    settings = dict(request.lanes) or {label: Lane() for label in stem_labels(track)}
    for label in settings:
        if label not in outputs:
            raise InvalidOption(
                f"'{track.source.name}' has no output '{label}'.",
                hint=f"Choose among {', '.join(outputs)}.",
                field="lanes",
            )
    lanes = tuple((outputs[label], s) for label, s in settings.items() if not s.muted)
    if not lanes:
        raise InvalidOption("Every lane is muted.", hint="Unmute one.", field="lanes")
    files = [file for file, _ in lanes]
    require_files(store, files)
    _check_range(request, track)
    facts = track.analysis
    return MixPlan(
        job_id=request.job_id,
        lanes=lanes,
        gain_db=request.gain_db,
        start_s=request.start_s,
        end_s=request.end_s,
        tempo_ratio=request.tempo_ratio,
        pitch_semitones=request.pitch_semitones,
        target=Target(
            format=request.format,
            bit_depth=choose_bit_depth(request.bit_depth, request.format, files),
            title=f"{facts.title or track.source.name} [mix]",
            artist=facts.artist,
        ),
    )


def _check_range(request: MixRequest, track: TrackRecord) -> None:
    duration_s = track.source.duration_s
    if duration_s is None:
        return
    for name in ("start_s", "end_s"):
        time_s = getattr(request, name)
        limit_s = duration_s if name == "start_s" else duration_s + _END_TOLERANCE_S
        if time_s is not None and (time_s > limit_s or (name, time_s) == ("start_s", duration_s)):
            raise InvalidOption(
                f"{name} is {time_s:g}, but '{track.source.name}' lasts {duration_s:.3f} s.",
                hint="Give a time within the track.",
                field=name,
            )


def _render(plan: MixPlan, work: Path) -> Iterator[float | Finished]:
    # Here, and not above: the API plans renders, and opens no audio.
    from core.rendering.lanes import open_lane

    yield 0.0
    total = work / "sum.wav"
    with ExitStack() as stack:
        readers = [stack.enter_context(open_lane(file, work)) for file, _ in plan.lanes]
        start, end = _find_range(plan, readers)
        n_samples = max(1, round((end - start) / plan.tempo_ratio))
        meter = SumMeter(readers[0].sample_rate, _count_channels(plan, readers))
        blocks = _mix(plan, readers, meter, start, n_samples)
        for done in write_sum(blocks, total, meter, n_samples):
            yield _SUM_SHARE * done
    for step in write_file(total, meter, plan.target, work):
        yield step if isinstance(step, Finished) else _SUM_SHARE + (1 - _SUM_SHARE) * step


def _find_range(plan: MixPlan, readers: Sequence["AudioReader"]) -> tuple[int, int]:
    """Return the first sample and the one after the last."""
    rate, n_track = readers[0].sample_rate, max(reader.n_samples for reader in readers)
    start = round(plan.start_s * rate)
    end = n_track if plan.end_s is None else min(round(plan.end_s * rate), n_track)
    if end <= start:
        raise InvalidOption(
            f"There is no sample from {plan.start_s:g} s on; the track has {n_track / rate:.3f} s.",
            hint="Give a range within the track.",
            field="start_s",
        )
    return start, end


def _count_channels(plan: MixPlan, readers: Sequence["AudioReader"]) -> int:
    is_mono = all(reader.n_channels == 1 for reader in readers)
    return 2 if not is_mono or any(lane.pan for _, lane in plan.lanes) else 1


def _mix(
    plan: MixPlan,
    readers: Sequence["AudioReader"],
    meter: SumMeter,
    start: int,
    n_samples: int,
) -> Iterator[Samples]:
    """Yield the mix; where it is transposed, the percussive lanes go a way of their own."""
    from core.rendering.lanes import Bus

    groups: dict[float, list[int]] = {}
    for index, (file, _) in enumerate(plan.lanes):
        semitones = 0.0 if file.is_percussive else plan.pitch_semitones
        groups.setdefault(semitones, []).append(index)
    parts = [
        play(
            Bus(
                [readers[index] for index in indices],
                [_matrix(plan, plan.lanes[index][1]) for index in indices],
                meter.n_channels,
            ).read,
            TimeMap.steady(start, plan.tempo_ratio),
            n_samples,
            n_channels=meter.n_channels,
            sample_rate=meter.sample_rate,
            semitones=semitones,
        )
        for semitones, indices in groups.items()
    ]
    for first, *others in zip(*parts, strict=True):
        yield sum(others, first)


def _matrix(plan: MixPlan, lane: Lane) -> NDArray[np.float64]:
    return pan_matrix(lane.pan) * linear(lane.gain_db + plan.gain_db)
