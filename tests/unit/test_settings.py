"""Settings: documented, in step with .env.example, read in one place."""

from pathlib import Path

import pytest

from cli.workbench import streamlit_options
from config import Settings
from core.errors import InvalidOption
from ui.settings import ApiAddress

ROOT = Path(__file__).parents[2]


def test_the_example_is_valid(tmp_path: Path) -> None:
    """Copying .env.example to .env must change nothing."""
    settings = Settings(_env_file=ROOT / ".env.example")
    assert settings == Settings(_env_file=None)


def test_every_setting_is_described() -> None:
    assert all(field.description for field in Settings.model_fields.values())


@pytest.mark.parametrize(("value", "expected"), [("a, b", ["a", "b"]), ("", [])])
def test_cors_origins_are_a_comma_separated_list(
    monkeypatch: pytest.MonkeyPatch, value: str, expected: list[str]
) -> None:
    monkeypatch.setenv("CORS_ORIGINS", value or " ")
    assert Settings(_env_file=None).cors_origins == expected


@pytest.mark.parametrize("read", [Settings, ApiAddress])
def test_the_workbench_follows_the_api_to_another_port(read: type[ApiAddress]) -> None:
    """Changing API_PORT alone must not leave the workbench asking port 8000."""
    assert read(_env_file=None, api_port=9000).api_url == "http://127.0.0.1:9000"
    assert read(_env_file=None, api_url="http://api:8000").api_url == "http://api:8000"


def test_the_workbench_reads_the_variables_of_the_installation() -> None:
    """A variable that the workbench reads alone would be described in no list of settings."""
    for name, field in ApiAddress.model_fields.items():
        assert Settings.model_fields[name].description == field.description


def test_streamlit_takes_no_files_worth_mentioning() -> None:
    """It took 100 GB into its memory from whoever did not ask its pages first."""
    assert streamlit_options(Settings(_env_file=None))["server.maxUploadSize"] == 1


@pytest.mark.parametrize(
    ("storage_url", "database_url", "field"),
    [
        ("s3://bucket/a", "", "database_url"),
        ("s3://bucket/a", "sqlite:////tmp/x.sqlite", "database_url"),
        ("bucket", "postgresql+psycopg://db/x", "storage_url"),
        ("file:///data", "postgresql+psycopg://db/x", "storage_url"),
        ("s3://", "postgresql+psycopg://db/x", "storage_url"),
    ],
)
def test_a_store_that_cannot_be_is_refused(storage_url: str, database_url: str, field: str) -> None:
    """Hosts without a common database would each have jobs of their own, and delete the others'."""
    settings = Settings(_env_file=None, storage_url=storage_url, database_url=database_url)
    with pytest.raises(InvalidOption) as refused:
        settings.storage()
    assert refused.value.field == field


def test_one_machine_needs_no_store() -> None:
    assert not Settings(_env_file=None).storage().is_shared
