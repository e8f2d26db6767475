"""Validation errors of pydantic as the end of a sentence."""

from pydantic import ValidationError


def first_error(error: ValidationError) -> str:
    """Return the first error: ``place: reason``, or the reason of one of our own checks."""
    first = error.errors(include_url=False)[0]
    if first["type"] == "value_error":
        return str(first["ctx"]["error"])
    place = ".".join(map(str, first["loc"])) or "the whole"
    return f"{place}: {first['msg']}"
