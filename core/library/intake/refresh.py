"""Re-analyses tracks with facts of an older analysis.

Each track is saved as soon as it is done: an interrupted refresh resumes when
it is run again.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from core.analysis.store import FactStore
from core.analysis.version import ANALYSIS_VERSION
from core.errors import StemcrateError
from core.library.intake.facts import FileTask, find_facts_again
from core.library.intake.importing import FileProgress
from core.library.intake.listing import Refusal
from core.library.library import Library
from core.library.records.record import LibraryRecord
from core.system.task_pool import TaskPool
from stemcrate.schemas.facts import TrackFacts


@dataclass(slots=True)
class RefreshReport:
    """The outcome of a refresh: refreshed tracks, tracks without files, refused files."""

    refreshed: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)


def refresh(
    library: Library,
    *,
    store: FactStore,
    n_processes: int,
    progress: FileProgress | None = None,
) -> RefreshReport:
    """Analyse stale tracks whose files exist; the rest of their records is unchanged.

    Parameters
    ----------
    store : known facts, which are not analysed again.
    n_processes : number of files analysed in parallel.
    progress : called after each track.
    """
    report = RefreshReport()
    tasks: list[FileTask] = []
    for track in library.stale_tracks(ANALYSIS_VERSION):
        path = next((Path(p) for p in track.paths if Path(p).is_file()), None)
        if path is None:
            report.missing.append(track.id)
        else:
            tasks.append(FileTask(path, path.name, track.id, store))
    pool = TaskPool(find_facts_again, min(n_processes, max(1, len(tasks))))
    for done, (task, outcome) in enumerate(pool.run(tasks), start=1):
        if isinstance(outcome, StemcrateError):
            report.refused.append(Refusal(str(task.path), outcome))
        elif library.change(task.sha256, _taking(outcome)):
            report.refreshed.append(task.sha256)
        if progress is not None:
            progress(done, len(tasks), task.name)
    return report


def _taking(facts: TrackFacts) -> Callable[[LibraryRecord], None]:
    return lambda record: record.take_facts(facts, ANALYSIS_VERSION)
