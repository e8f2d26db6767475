"""Settings of the workbench, from the environment or `.env`: the API's address, a key, the sign-in.

`config.Settings` extends these settings, so that each variable is described once.
"""

from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict  # noqa: TID251

from stemcrate.schemas.owners import PERSON_HEADER

API_PREFIX = "/api"
"""Where the workbench's server answers with the API, for the browser."""
NAME_HEADER = f"{PERSON_HEADER}-Name"
"""Header that the workbench's server adds for its pages: the person's name, percent-encoded."""
SESSION_COOKIE = "stemcrate_person"
"""Cookie of who signed in here; where a proxy signs people in, there is none."""


def split(value: object) -> object:
    """Return the parts of a setting that holds several, separated by commas."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


Listed = Annotated[list[str], NoDecode, BeforeValidator(split)]
Networks = Annotated[list[IPv4Network | IPv6Network], NoDecode, BeforeValidator(split)]
SignIn = Literal["none", "password", "oidc", "proxy"]
ANYONE = "*"


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
        "opens the workbench uses it; with SIGN_IN its scope 'people' lets each person have what "
        "is their own.",
    )

    @model_validator(mode="after")
    def _find_api(self) -> Self:
        self.api_url = self.api_url or f"http://127.0.0.1:{self.api_port}"
        return self


class WorkbenchSettings(ApiAddress):
    """Settings of the workbench's server."""

    sign_in: SignIn = Field(
        "none",
        description="Who may open the workbench: anyone who reaches it (`none`), who knows "
        "SIGN_IN_PASSWORD (`password`), whom an OpenID Connect provider signs in (`oidc`), or whom "
        "a reverse proxy names in SIGN_IN_HEADER (`proxy`).",
    )
    sign_in_password: SecretStr = Field(
        SecretStr(""), description="The password that all share, for SIGN_IN=password."
    )
    sign_in_secret: SecretStr = Field(
        SecretStr(""),
        description="Secret that signs the cookies of people, the same for all servers of one "
        "address. Empty: a new one at each start, after which people sign in again.",
    )
    sign_in_hours: float = Field(168.0, gt=0, description="Hours after which people sign in again.")
    sign_in_allowed: Listed = Field(
        [],
        description="Whom SIGN_IN=oidc and proxy admit, separated by commas: e-mail addresses, "
        "`@domain` for all of a domain, names that the proxy sends. *: everyone they sign in.",
    )
    sign_in_admins: Listed = Field(
        [],
        description="Who of them looks after the installation (scope admin), in the same words.",
    )
    sign_in_header: str = Field(
        "Remote-User",
        pattern=r"^[A-Za-z0-9-]+$",
        description="Header in which the reverse proxy names the person, for SIGN_IN=proxy.",
    )
    sign_in_proxies: Networks = Field(
        [IPv4Network("127.0.0.0/8"), IPv6Network("::1/128")],
        description="Addresses of the reverse proxy, separated by commas, such as 10.0.0.7 or "
        "10.0.0.0/24. A request from elsewhere is nobody's.",
    )
    workbench_url: str = Field(
        "",
        description="Address under which browsers reach the workbench, such as "
        "https://stems.example.org: OpenID Connect leads back to it. Empty: that of the request.",
    )
    oidc_issuer: str = Field(
        "",
        description="URL of the OpenID Connect provider; `/.well-known/openid-configuration` "
        "below it describes it.",
    )
    oidc_client_id: str = Field("", description="The workbench's id at the provider.")
    oidc_client_secret: SecretStr = Field(
        SecretStr(""), description="The workbench's secret at the provider."
    )

    @model_validator(mode="after")
    def _check_sign_in(self) -> Self:
        missing = [name for name in _NEEDED[self.sign_in] if not _is_set(getattr(self, name))]
        if missing:
            names = ", ".join(name.upper() for name in missing)
            raise ValueError(f"SIGN_IN={self.sign_in} needs {names} as well")
        return self


_NEEDED: dict[SignIn, tuple[str, ...]] = {
    "none": (),
    "password": ("sign_in_password",),
    "oidc": ("oidc_issuer", "oidc_client_id", "oidc_client_secret", "sign_in_allowed"),
    "proxy": ("sign_in_allowed",),
}


def _is_set(value: object) -> bool:
    return bool(value.get_secret_value() if isinstance(value, SecretStr) else value)


@lru_cache
def api_address() -> ApiAddress:
    """Read the settings once."""
    return ApiAddress()
