"""The screen's idea of the API's answers against the API's own."""

import typing
from typing import Any

import pytest

from stemcrate.schemas import configuration, jobs, manifest
from stemcrate.schemas.manifest import Failure, JobState
from ui import answers

PAIRS = [
    (answers.ModelInfo, configuration.ModelInfo),
    (answers.ModelChoice, configuration.ModelChoice),
    (answers.RecipeInfo, configuration.RecipeInfo),
    (answers.RequestLimits, configuration.RequestLimits),
    (answers.Configuration, configuration.Configuration),
    (answers.Failure, Failure),
    (answers.JobWarning, jobs.JobWarning),
    (answers.Track, jobs.JobTrack),
    (answers.Stage, jobs.StageSummary),
    (answers.Job, jobs.Job),
    (answers.JobSummary, jobs.JobSummary),
    (answers.JobPage, jobs.JobPage),
    (answers.Artefact, jobs.OutputFile),
    (answers.Outputs, jobs.Outputs),
    (answers.Manifest, manifest.ProcessingManifest),
]


@pytest.mark.parametrize(("ours", "theirs"), PAIRS, ids=lambda shape: shape.__name__)
def test_every_field_that_the_screen_reads_is_answered(ours: Any, theirs: Any) -> None:
    """A field renamed in the API would be a KeyError on a page."""
    assert set(ours.__annotations__) <= set(theirs.model_fields)


def test_the_job_states_are_the_same() -> None:
    states = {state.value for state in JobState}
    assert states == set(typing.get_args(answers.JobState))
    assert {s.value for s in JobState if s.is_final} == answers.FINAL_STATES
