"""From a request to the plan of its render, and the function that a process runs."""

from collections.abc import Iterator
from pathlib import Path

from core.artifacts.renders import render_id
from core.artifacts.store import JobStore
from core.library.library import Library
from core.rendering.file import Finished
from core.rendering.mix import MixPlan, plan_mix
from core.rendering.transition import TransitionPlan, plan_transition
from core.system.storage import Storage
from stemcrate.schemas.owners import LOCAL
from stemcrate.schemas.renders import MixRequest, RenderRequest

RENDERING_VERSION = "1"
"""Raised when the same request gives other samples: earlier renders are then made again."""

RenderPlan = MixPlan | TransitionPlan


def plan_render(store: JobStore, library: Library, request: RenderRequest) -> RenderPlan:
    """Plan a render; the errors are those of `plan_mix` and `plan_transition`."""
    if isinstance(request, MixRequest):
        return plan_mix(store, request)
    return plan_transition(store, library, request)


def identify(plan: RenderPlan, owner: str) -> str:
    """Return the id of a plan's render: the same for the same owner, audio, settings and format."""
    of_others = [] if owner == LOCAL else [owner]
    return render_id([RENDERING_VERSION, type(plan).__name__, plan.identity(), *of_others])


def perform(
    storage: Storage, database_url: str, owner: str, request: RenderRequest, work: Path
) -> Iterator[float | Finished]:
    """Render an owner's request in a process of its own; see `MixPlan.render`."""
    library = Library(storage, database_url, owner)
    yield from plan_render(JobStore(storage, owner), library, request).render(work)
