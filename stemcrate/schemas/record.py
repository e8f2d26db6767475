"""Bases of the models: strict records, and sets of fields of which each may be unknown."""

from typing import ClassVar

from pydantic import BaseModel, ConfigDict, model_serializer


class Record(BaseModel):
    """A part of a stored record: an unknown field is an error."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True)


class Partial(BaseModel):
    """A record of which only what was set is written."""

    @model_serializer(mode="wrap")
    def _omit_unset(self, handler):  # type: ignore[no-untyped-def]  # an annotation hides the schema
        fields, kept = type(self).model_fields, self.model_fields_set
        kept = kept | {fields[name].alias or name for name in kept if name in fields}
        return {name: value for name, value in handler(self).items() if name in kept}


class Facts(Partial):
    """Facts of a recording; a plug-in may add fields of its own.

    A field that was never set and a field that is None differ on disk (absent, ``null``); both
    read as None, or as an empty list.

    Attributes
    ----------
    stage : name of the stage of a job that finds them; None for facts without a stage of their own.
    """

    stage: ClassVar[str | None] = None
    model_config = ConfigDict(extra="allow")
