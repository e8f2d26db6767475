"""Who is let into the workbench, without a server."""

import pytest
from pydantic import ValidationError

from stemcrate.schemas.owners import is_owner, owner_of_person
from ui.server.sign_in.guesses import MAX_WRONG, WINDOW_S, Guesses
from ui.server.sign_in.page import FAILED, sign_in_page
from ui.server.sign_in.person import is_listed
from ui.server.sign_in.routes import safe_path
from ui.settings import WorkbenchSettings


@pytest.mark.parametrize(
    "subject", ["anna@example.org", "auth0|5f7c8ec7c33c6c004bbafe82", "安娜", "-", "x" * 400]
)
def test_every_subject_is_an_owner_of_its_own(subject: str) -> None:
    owner = owner_of_person("https://id.example.org", subject)
    assert is_owner(owner)
    assert owner == owner_of_person("https://id.example.org", subject)
    assert owner != owner_of_person("https://other.example.org", subject)


def test_subjects_that_look_alike_are_apart() -> None:
    names = ("anna.b", "anna-b", "anna b", "Ánna b")
    assert len({owner_of_person("proxy", name) for name in names}) == len(names)


@pytest.mark.parametrize(
    ("listed", "name", "expected"),
    [
        (["anna@example.org"], "Anna@Example.ORG", True),
        (["@example.org"], "ben@example.org", True),
        (["@example.org"], "ben@evil.example.org", False),
        (["@example.org"], "example.org", False),
        (["anna"], "anna2", False),
        ([], "anna", False),
        (["*"], "anybody", True),
        (["anna"], "", False),
    ],
)
def test_who_is_listed(listed: list[str], name: str, expected: bool) -> None:
    assert is_listed(listed, name) is expected


@pytest.mark.parametrize(
    "wanted",
    ["https://evil.test", "//evil.test", "/\\evil.test", "javascript:alert(1)", "/a\nb", "", "x"],
)
def test_nobody_is_led_to_another_site(wanted: str) -> None:
    assert safe_path(wanted) == "/"


def test_wrong_passwords_of_one_address_do_not_stop_another() -> None:
    at = [0.0]
    guesses = Guesses(lambda: at[0])
    for _ in range(MAX_WRONG):
        assert guesses.may_try("10.0.0.1")
        guesses.note_wrong("10.0.0.1")
    assert not guesses.may_try("10.0.0.1")
    assert guesses.may_try("10.0.0.2")
    at[0] = WINDOW_S + 1
    assert guesses.may_try("10.0.0.1")


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"sign_in": "password"}, "SIGN_IN_PASSWORD"),
        ({"sign_in": "oidc", "oidc_issuer": "https://id.example.org"}, "OIDC_CLIENT_ID"),
        ({"sign_in": "proxy"}, "SIGN_IN_ALLOWED"),
        ({"sign_in_proxies": "10.0.0.300"}, "sign_in_proxies"),
    ],
)
def test_settings_that_would_admit_the_wrong_people_are_refused(
    settings: dict[str, str], named: str
) -> None:
    with pytest.raises(ValidationError, match=named):
        WorkbenchSettings.model_validate(settings)


def test_the_page_speaks_german_and_escapes_what_it_shows() -> None:
    text = sign_in_page("de-AT,en;q=0.5", '/x"><script>', asks_password=True, message=FAILED)
    assert "Passwort" in text
    assert "<script>" not in text
