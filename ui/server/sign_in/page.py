"""The page on which people sign in, in their browser's language."""

from html import escape
from pathlib import Path

import ui
from ui.language import language_of, mark, translations

LOGO = Path(ui.__file__).with_name("logo.svg")
_STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 Inter, "Segoe UI", Roboto, sans-serif; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center;
  background: light-dark(#fff, #0e1117); color: light-dark(#212529, #eceef0); }
main { width: min(22rem, calc(100vw - 3rem)); }
svg { height: 2.2rem; }
h1 { font-size: 1.5rem; margin: 1.5rem 0 1rem; }
label { display: block; margin: 1rem 0 .3rem; font-weight: 600; }
small { display: block; opacity: .8; }
input, button, .button { box-sizing: border-box; width: 100%; font: inherit; padding: .6rem .8rem;
  border-radius: 8px; border: 1px solid light-dark(#868e96, #868e96); background: transparent;
  color: inherit; }
button, .button { display: block; margin-top: 1.5rem; border: 0; background: #6741d9; color: #fff;
  font-weight: 600; text-align: center; text-decoration: none; cursor: pointer; }
:focus-visible { outline: 3px solid light-dark(#1864ab, #74c0fc); outline-offset: 2px; }
[role=alert] { padding: .6rem .8rem; border-radius: 8px; border: 1px solid #e03131; }
"""
TITLE = mark("Sign in")
NAME = mark("Your name")
NAME_HINT = mark("Your jobs, tracks and sets are kept under it. Empty: what all share.")
PASSWORD = mark("Password")
PROVIDER = mark("Continue with your account")
SIGNED_OUT = mark("You have signed out.")
WRONG = mark("That is not the password.")
TOO_MANY = mark("Too many wrong passwords. Try again in a minute.")
NOT_ADMITTED = mark("{name} is signed in there, but not admitted here.")
FAILED = mark("The provider did not sign you in. Try again.")


def sign_in_page(
    accepted: str, wanted: str, *, asks_password: bool, message: str = "", name: str = ""
) -> str:
    """Return the page.

    Parameters
    ----------
    accepted : the `Accept-Language` of the request.
    wanted : path that the person goes to afterwards.
    asks_password : whether a password is asked for; otherwise a link leads to the provider.
    message : a text of this module above the form; ``name`` stands for ``{name}`` in it.
    """
    code = language_of(accepted.split(",")[0].strip() or None)

    def t(text: str) -> str:
        return escape(translations(code).get(text, text))

    alert = f'<p role="alert">{t(message).format(name=escape(name))}</p>' if message else ""
    if asks_password:
        form = f"""<form method="post" action="/sign-in">
<input type="hidden" name="next" value="{escape(wanted)}">
<label for="name">{t(NAME)}</label>
<input id="name" name="name" autocomplete="username" maxlength="100" aria-describedby="hint">
<small id="hint">{t(NAME_HINT)}</small>
<label for="password">{t(PASSWORD)}</label>
<input id="password" name="password" type="password" autocomplete="current-password" required>
<button>{t(TITLE)}</button>
</form>"""
    else:
        form = f'<a class="button" href="/sign-in/provider">{t(PROVIDER)}</a>'
    return f"""<!DOCTYPE html>
<html lang="{code}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{t(TITLE)} · Stemcrate</title><style>{_STYLE}</style></head>
<body><main>{LOGO.read_text(encoding="utf-8")}<h1>{t(TITLE)}</h1>
{alert}
{form}
</main></body>
</html>"""
