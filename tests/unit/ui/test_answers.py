"""The screen's idea of the API's answers against the API's own."""

import typing
from typing import Any

import pytest

from api import schemas
from core.artifacts.manifest import Failure, JobState, ProcessingManifest
from ui import answers

PAIRS = [
    (answers.ModelInfo, schemas.ModelInfo),
    (answers.ModelChoice, schemas.ModelChoice),
    (answers.RecipeInfo, schemas.RecipeInfo),
    (answers.RequestLimits, schemas.RequestLimits),
    (answers.Configuration, schemas.Configuration),
    (answers.Failure, Failure),
    (answers.JobWarning, schemas.WarningView),
    (answers.Track, schemas.TrackView),
    (answers.Stage, schemas.StageView),
    (answers.Job, schemas.JobView),
    (answers.JobSummary, schemas.JobSummary),
    (answers.JobPage, schemas.JobPage),
    (answers.Artefact, schemas.ArtefactView),
    (answers.Outputs, schemas.Outputs),
    (answers.Manifest, ProcessingManifest),
]


@pytest.mark.parametrize(("ours", "theirs"), PAIRS, ids=lambda shape: shape.__name__)
def test_every_field_that_the_screen_reads_is_answered(ours: Any, theirs: Any) -> None:
    """A field renamed in the API would be a KeyError on a page."""
    assert set(ours.__annotations__) <= set(theirs.model_fields)


def test_the_job_states_are_the_same() -> None:
    states = {state.value for state in JobState}
    assert states == set(typing.get_args(answers.JobState))
    assert {s.value for s in JobState if s.is_final} == answers.FINAL_STATES
