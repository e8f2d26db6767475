"""Errors of the API (RFC 9457), all in one shape."""

from typing import Any, Self

from pydantic import BaseModel, Field

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:stemcrate:problem:"


class ProblemItem(BaseModel):
    """One of several errors of a request."""

    code: str
    detail: str
    hint: str = ""
    field: str | None = None
    file: str | None = Field(None, description="Name of the uploaded file at fault.")


class Problem(BaseModel):
    """An error (RFC 9457)."""

    type: str = Field(description="Stable URI of this kind of problem, made from `code`.")
    title: str
    status: int
    detail: str = Field(description="A sentence for people.")
    code: str = Field(description="Stable word for programs; the manifest uses the same words.")
    hint: str = Field("", description="What to do about it.")
    instance: str = Field("", description="The requested path.")
    retryable: bool = Field(False, description="Whether the same request may succeed later.")
    field: str | None = Field(None, description="The option or form field at fault.")
    errors: list[ProblemItem] | None = Field(None, description="Every error, if there are several.")

    @classmethod
    def of(cls, status: int, code: str, detail: str, path: str, **fields: Any) -> Self:
        """Return the problem with this code; type and title follow from it."""
        return cls(
            type=TYPE_PREFIX + code,
            title=code.replace("_", " ").capitalize(),
            status=status,
            detail=detail,
            code=code,
            instance=path,
            **fields,
        )
