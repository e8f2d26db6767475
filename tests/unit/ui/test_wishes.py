"""What people come for, as options: the API takes each, whatever model is there."""

from typing import Any

import pytest

from core.pipeline.composites import check_composites
from core.pipeline.options import check_options
from stemcrate.schemas.configuration import Configuration
from stemcrate.schemas.options import ProcessingOptions
from tests.unit.ui import examples
from ui.wishes import WISHES, options_of

MODELS = {
    "spleeter": ["vocals", "accompaniment"],
    "htdemucs": ["drums", "bass", "other", "vocals"],
    "own": [],
}


def config(model: str) -> Configuration:
    answer = examples.config()
    answer["models"] = [
        examples.model(name, stems, available=True) for name, stems in MODELS.items()
    ]
    answer["model"]["resolved"] = model
    answer["stages"] = list(ProcessingOptions().stages)
    answer["recipes"] = [
        {"name": name, "description": "", "stems": None, "without": [stem]}
        for name, stem in (
            ("instrumental", "vocals"),
            ("drumless", "drums"),
            ("bassless", "bass"),
        )
    ] + [{"name": "acapella", "description": "", "stems": ["vocals"], "without": []}]
    return Configuration.model_validate(answer)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("wish", [wish.name for wish in WISHES])
def test_each_wish_is_a_job_that_the_api_takes(wish: str, model: str) -> None:
    options = options_of(wish, config(model))
    check_options(options)
    check_composites(options, ProcessingOptions(), MODELS[model])


def test_a_wish_delivers_what_it_says() -> None:
    def of(wish: str, model: str = "htdemucs") -> Any:
        return options_of(wish, config(model))

    assert of("stems").stems == ()
    assert of("stems").recipes == ("main",)
    assert of("vocals").stems == of("karaoke").stems == ("vocals",)
    assert of("karaoke").normalization == "per_track"
    assert not of("analysis").separates
    assert "tempo" in of("analysis").stages
    assert of("dj_pack").format == "flac"
    assert set(of("dj_pack").recipes) == {
        "main",
        "instrumental",
        "acapella",
        "drumless",
        "bassless",
    }
    assert set(of("dj_pack", "spleeter").recipes) == {"main", "instrumental", "acapella"}


def test_defaults_of_the_installation_stay() -> None:
    answer = examples.config()
    answer["defaults"] |= {"preset": "fast", "target_lufs": -9.0}
    options = options_of("stems", Configuration.model_validate(answer))
    assert (options.preset, options.target_lufs) == ("fast", -9.0)
