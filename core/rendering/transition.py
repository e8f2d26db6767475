"""A transition between two tracks: planned on their beat grids, then rendered."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from core.artifacts.store import JobStore
from core.errors import InvalidOption
from core.library.library import Library
from core.playlist.facts import facts_to_track
from core.playlist.transition import rate_transition
from core.rendering.file import Finished, Target, choose_bit_depth
from core.rendering.grid import Grid
from core.rendering.sides import Side, find_side
from core.rendering.sources import LaneFile
from core.rendering.timeline import Placement, Timeline, draw_timeline
from stemcrate.schemas.facts import TrackFacts
from stemcrate.schemas.manifest import StageWarning
from stemcrate.schemas.renders import Fade, RenderedTransition, TransitionRequest
from stemcrate.schemas.transitions import TrackId, Transition

_DEFAULT_BARS = 16
"""Length of a mix whose windows are unknown."""


@dataclass(frozen=True, slots=True)
class DeckPlan:
    """One track of a transition; ``drops`` are (label, start, end), positions in seconds."""

    files: tuple[LaneFile, ...]
    gain_db: float
    drops: tuple[tuple[str, float, float], ...]

    def identity(self) -> dict[str, Any]:
        """Return what decides its sound, without paths."""
        files = [(file.label, file.sha256, file.gain_db) for file in self.files]
        return {"files": files, "gain_db": self.gain_db, "drops": self.drops}


@dataclass(frozen=True, slots=True)
class TransitionPlan:
    """Everything that decides a transition."""

    outgoing: DeckPlan
    incoming: DeckPlan
    timeline: Timeline
    fade: Fade
    target: Target
    job_ids: list[str]
    track_ids: list[str]
    details: RenderedTransition
    warnings: tuple[StageWarning, ...]

    def identity(self) -> dict[str, Any]:
        """Return what decides the result, without paths."""
        return {
            "decks": [self.outgoing.identity(), self.incoming.identity()],
            "timeline": asdict(self.timeline),
            "fade": self.fade,
            "target": asdict(self.target),
            "jobs": self.job_ids,
        }

    def render(self, work: Path) -> Iterator[float | Finished]:
        """Make the transition in an empty folder; as `core.rendering.mix.MixPlan.render`."""
        # Here, and not above: the API plans renders, and opens no audio.
        from core.rendering.blend import blend

        for step in blend(self, work):
            if isinstance(step, Finished):
                warnings = [*self.warnings, *step.warnings]
                yield replace(step, warnings=warnings, transition=self.details)
            else:
                yield step


def plan_transition(
    store: JobStore, library: Library, request: TransitionRequest
) -> TransitionPlan:
    """Plan a transition.

    Raises
    ------
    JobNotFound, JobNotFinished, TrackNotFound, ArtefactNotFound : as `find_side`.
    BeatGridMissing : a track has no beat grid.
    InvalidOption : a bar lies beyond the end, or the tempi are too far apart.
    UnsupportedFormat : the format does not hold the bit depth.
    """
    sides = (
        find_side(store, library, request.outgoing),
        find_side(store, library, request.incoming),
    )
    grids = (Grid.of(sides[0].facts, sides[0].title), Grid.of(sides[1].facts, sides[1].title))
    transition = request.transition or _rate(sides)
    placement = _place(request, transition, grids)
    timeline = draw_timeline(
        *grids, placement, request.tempo, incoming_end_s=sides[1].facts.duration_s
    )
    if request.transition is None:
        transition = _rate(sides, timeline)
    decks = _decks(request, sides, transition)
    outgoing, incoming = sides
    return TransitionPlan(
        outgoing=decks[0],
        incoming=decks[1],
        timeline=timeline,
        fade=request.fade,
        target=Target(
            format=request.format,
            bit_depth=choose_bit_depth(
                request.bit_depth, request.format, (*outgoing.files, *incoming.files)
            ),
            title=f"{outgoing.title} → {incoming.title}",
            artist=None,
        ),
        job_ids=list(dict.fromkeys((*outgoing.job_ids, *incoming.job_ids))),
        track_ids=list(dict.fromkeys((*outgoing.track_ids, *incoming.track_ids))),
        details=_describe(timeline, placement, decks, transition),
        warnings=tuple(_warn_of_drops(request, sides, transition)),
    )


def _rate(sides: tuple[Side, Side], timeline: Timeline | None = None) -> Transition:
    """Rate the transition; with a timeline, as it is placed there."""
    facts = [side.facts for side in sides]
    if timeline is not None:
        out_positions = timeline.outgoing[1]
        facts[0] = _with_window(facts[0], "mix_out_s", out_positions[1], out_positions[-1])
        in_positions = timeline.incoming[1]
        facts[1] = _with_window(facts[1], "mix_in_s", in_positions[0], in_positions[-2])
    tracks = [
        facts_to_track(index, found, title=side.title, stems=side.stems)
        for index, (side, found) in enumerate(zip(sides, facts, strict=True))
    ]
    return rate_transition(tracks[0], tracks[1])


def _with_window(facts: TrackFacts, name: str, start_s: float, end_s: float) -> TrackFacts:
    return facts.model_copy(update={name: (start_s, end_s)})


def _place(
    request: TransitionRequest, transition: Transition, grids: tuple[Grid, Grid]
) -> Placement:
    outgoing, incoming = grids
    for name, bar, grid in (
        ("out_bar", request.out_bar, outgoing),
        ("in_bar", request.in_bar, incoming),
    ):
        if bar is not None and bar > grid.n_bars:
            raise InvalidOption(
                f"{name} is {bar}, but the track has {grid.n_bars} bars.",
                hint="Give a bar of the track.",
                field=name,
            )
    out_bar = request.out_bar
    if out_bar is None:
        mix_out_s = transition.mix_out_s
        if mix_out_s is None:
            out_bar = max(1, outgoing.n_bars - _DEFAULT_BARS)
        else:
            out_bar = outgoing.nearest_bar(mix_out_s)
    return Placement(
        out_bar=out_bar,
        in_bar=request.in_bar or incoming.nearest_bar(transition.mix_in_s),
        overlap_bars=request.overlap_bars or transition.overlap_bars or _DEFAULT_BARS,
        before_bars=request.before_bars,
        after_bars=request.after_bars,
    )


def _decks(
    request: TransitionRequest, sides: tuple[Side, Side], transition: Transition
) -> tuple[DeckPlan, DeckPlan]:
    loudness = [side.facts.integrated_loudness_lufs for side in sides]
    known = [level for level in loudness if level is not None]
    gains_db = [
        0.0 if len(known) < 2 or level is None else min(known) - level for level in loudness
    ]
    ids = (transition.from_id, transition.to_id)
    outgoing, incoming = (
        DeckPlan(
            side.files, round(gain_db, 4), _drops_of(transition, id) if request.drop_stems else ()
        )
        for side, gain_db, id in zip(sides, gains_db, ids, strict=True)
    )
    return outgoing, incoming


def _drops_of(transition: Transition, id: TrackId) -> tuple[tuple[str, float, float], ...]:
    return tuple(
        (drop.stem, drop.start_s, drop.end_s) for drop in transition.drops if drop.track_id == id
    )


def _describe(
    timeline: Timeline,
    placement: Placement,
    decks: tuple[DeckPlan, DeckPlan],
    transition: Transition,
) -> RenderedTransition:
    return RenderedTransition(
        starts_s=timeline.starts_s,
        ends_s=timeline.ends_s,
        overlap_bars=placement.overlap_bars,
        outgoing_start_s=timeline.outgoing_start_s,
        mix_out_s=timeline.outgoing[1][1],
        mix_in_s=timeline.incoming[1][0],
        incoming_speed=timeline.incoming_speed,
        outgoing_gain_db=decks[0].gain_db,
        incoming_gain_db=decks[1].gain_db,
        transition=transition,
    )


def _warn_of_drops(
    request: TransitionRequest, sides: tuple[Side, Side], transition: Transition
) -> Iterator[StageWarning]:
    """Warn of stems that cannot be dropped, because they are not there."""
    ids = (transition.from_id, transition.to_id)
    for side, id in zip(sides, ids, strict=True):
        for label, _, _ in _drops_of(transition, id) if request.drop_stems else ():
            if label not in side.stems:
                yield StageWarning(
                    code="stem_missing",
                    message=f"'{side.title}' has no stem '{label}' to drop: separate it first.",
                )
