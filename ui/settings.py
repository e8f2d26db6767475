"""Settings of the workbench, from the environment or `.env`: the API's address, and a key of it.

`config.Settings` extends these settings, so that each variable is described once.
"""

from functools import lru_cache
from typing import Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict  # noqa: TID251

API_PREFIX = "/api"
"""Where the workbench's server answers with the API, for the browser."""


class ApiAddress(BaseSettings):
    """Address of the API for the workbench's server, which forwards to it, and a key."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", env_ignore_empty=True)

    api_port: int = Field(8000, ge=0, le=65535, description="Port of the API.")
    api_url: str = Field(
        "",
        description="URL of the API for the workbench's server. Empty: this machine, API_PORT.",
    )

    stemcrate_api_key: SecretStr = Field(
        SecretStr(""),
        description="Key of the API for the workbench's server, if the API demands one. Whoever "
        "opens the workbench uses it.",
    )

    @model_validator(mode="after")
    def _find_api(self) -> Self:
        self.api_url = self.api_url or f"http://127.0.0.1:{self.api_port}"
        return self


@lru_cache
def api_address() -> ApiAddress:
    """Read the settings once."""
    return ApiAddress()
