"""Options: the same words from a form, the command line and the settings."""

from pathlib import Path

import pytest

from core.artifacts.store import JobStore
from core.errors import InvalidOption, StemcrateError, UnsupportedFormat
from core.pipeline.composites import RECIPES
from core.pipeline.options import parse_options
from core.pipeline.order import build_pipeline
from stemcrate.schemas.options import COMPOSITE_NAMES, ProcessingOptions, RecordedOptions

DEFAULTS = ProcessingOptions()


def test_lists_and_recipes_are_read_from_text() -> None:
    """Form fields and the command line have only text."""
    options = parse_options(
        {"stages": "tempo, key", "custom_recipes": "karaoke=drums+bass; dub = drums"}, DEFAULTS
    )
    assert options.stages == ("tempo", "key")
    assert options.custom_recipes == {"karaoke": ("drums", "bass"), "dub": ("drums",)}


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        ("format", "aiff", UnsupportedFormat),
        ("bit_depth", "12", InvalidOption),
        ("normalization", "loud", InvalidOption),
        ("target_lufs", "3", InvalidOption),
        ("target_lufs", "abc", InvalidOption),
        ("stages", "tempo,dance", InvalidOption),
        ("name_template", "{nonsense}", InvalidOption),
        ("custom_recipes", "a/b=drums", InvalidOption),
        ("custom_recipes", "drums", InvalidOption),
        ("custom_recipes", "main=vocals", InvalidOption),
        ("recipes", "main,karaoke", InvalidOption),
        ("residual", "drop", InvalidOption),
        ("custom_recipes", ";".join(f"r{n}=drums" for n in range(51)), InvalidOption),
        ("ensemble_weights", "nan,1", InvalidOption),
        ("ensemble_weights", "inf,1", InvalidOption),
        ("ensemble_weights", "0,1", InvalidOption),
        ("ensemble_weights", "1,-1", InvalidOption),
        ("nonsense", "1", InvalidOption),
        ("tempo_max_bpm", "90", InvalidOption),
    ],
)
def test_a_bad_option_is_named(field: str, value: str, error: type[StemcrateError]) -> None:
    """The answer must say which field is wrong and what to do."""
    with pytest.raises(error) as caught:
        parse_options({field: value}, DEFAULTS)
    assert caught.value.field == field
    assert caught.value.hint


def test_a_job_without_a_model_runs_what_needs_no_stems(tmp_path: Path) -> None:
    """Stages that wait for stems would fail it, or warn of their absence."""
    pipeline = build_pipeline(JobStore(tmp_path))
    options = parse_options({"model": "none"}, DEFAULTS)
    names = [stage.name for stage in pipeline.track_stages(options)]
    assert pipeline.job_stages(options) == []
    assert names == [
        "decode",
        "tempo",
        "key",
        "energy",
        "vocals",
        "structure",
        "chords",
        "descriptors",
    ]


def test_float_does_not_fit_flac() -> None:
    with pytest.raises(UnsupportedFormat) as caught:
        parse_options({"format": "flac", "bit_depth": "32f"}, DEFAULTS)
    assert caught.value.field == "bit_depth"


def test_options_survive_the_manifest() -> None:
    """A job is run from the options in its manifest."""
    options = parse_options({"custom_recipes": "dub=drums", "format": "mp3"}, DEFAULTS)
    recorded = RecordedOptions.of(options)
    assert recorded.model_dump(mode="json") == options.model_dump(mode="json")
    assert RecordedOptions.model_validate_json(recorded.model_dump_json()) == recorded


def test_manifests_of_other_versions_keep_their_options() -> None:
    """A job made by another version must open, and be written back as it was."""
    written = {"model": "spleeter", "dither": "shaped"}
    recorded = RecordedOptions.model_validate(written)
    assert (recorded.model, recorded.preset) == ("spleeter", "balanced")
    assert recorded.model_dump(mode="json") == written


def test_every_composite_can_be_asked_for() -> None:
    """The schema lists the names, core what they sum."""
    assert tuple(recipe.name for recipe in RECIPES) == COMPOSITE_NAMES
