"""Texts as they are compared."""

import unicodedata


def fold(text: str) -> str:
    """Fold case and accents of a text, for search and sorting.

    >>> fold("Träume  DÉJÀ vu")
    'traume deja vu'
    """
    decomposed = unicodedata.normalize("NFKD", text)
    plain = "".join(c for c in decomposed if not unicodedata.combining(c))
    return " ".join(plain.casefold().split())
