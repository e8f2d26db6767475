"""Additions to the OpenAPI description: problems, events, and multipart bodies.

`POST /process` reads its stream itself, so its body is described here. The description of options
comes from `ProcessingOptions`; in a form, all values are text.
"""

from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from api.access import OPEN_OPERATIONS, SCOPE_OF
from stemcrate.schemas.events import ProgressEvent, StageEvent, StateEvent
from stemcrate.schemas.options import ProcessingOptions
from stemcrate.schemas.problem import MEDIA_TYPE, Problem

JOB_EVENTS: tuple[type[BaseModel], ...] = (StateEvent, StageEvent, ProgressEvent)
EXAMPLES: dict[str, Any] = {
    "model": "htdemucs",
    "stages": "composite,normalization,tempo,key",
    "format": "flac",
    "bit_depth": "24",
    "recipes": "instrumental,acapella",
    "custom_recipes": "karaoke=drums+bass+other;dub=drums+bass",
    "playlist_name": "Friday",
}
KEY = "key"
KEY_SCHEME: dict[str, Any] = {
    "type": "http",
    "scheme": "bearer",
    "description": "A key of `stemcrate keys create`, where the installation demands one.",
}
_NOT_TEXT = ("array", "object")
_FILES: dict[str, Any] = {
    "file": {
        "type": "array",
        "minItems": 1,
        "items": {"type": "string", "format": "binary"},
        "description": "Audio; repeat the part for several files. `files` is accepted too.",
    },
    "upload_ids": {
        "type": "string",
        "description": "Complete resumable uploads, separated by commas; they are deleted once "
        "the job exists.",
    },
    "from_job": {
        "type": "string",
        "description": "Id of a job whose files are processed again.",
    },
    "from_library": {
        "type": "string",
        "description": "Ids of tracks of the library whose files are processed, separated by "
        "commas.",
    },
}
_WEBHOOK: dict[str, Any] = {
    "type": "string",
    "description": "A webhook that is told the job's end.",
}


def any_problem() -> dict[str, Any]:
    """Describe the response for errors that a route doesn't list."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": "Any other problem.", "content": {MEDIA_TYPE: {"schema": schema}}}


def event_stream(*models: type[BaseModel]) -> dict[str, Any]:
    """Describe a stream of events by the data of one."""
    events = [{"$ref": f"#/components/schemas/{model.__name__}"} for model in models]
    return {"text/event-stream": {"schema": {"description": "Data of an event.", "oneOf": events}}}


def add_schemas(app: FastAPI) -> None:
    """Add the schemas that no route returns as a model to the description of ``app``."""
    describe = app.openapi

    def describe_with_schemas() -> dict[str, Any]:
        description = describe()
        schemas = description.setdefault("components", {}).setdefault("schemas", {})
        models: tuple[type[BaseModel], ...] = (Problem, *JOB_EVENTS)
        _, added = models_json_schema(
            [(model, "serialization") for model in models],
            ref_template="#/components/schemas/{model}",
        )
        schemas.update(added["$defs"])
        _add_security(description)
        return description

    app.openapi = describe_with_schemas  # type: ignore[method-assign]


def _add_security(description: dict[str, Any]) -> None:
    """Say that operations take a key, and which scope it needs."""
    description["components"]["securitySchemes"] = {KEY: KEY_SCHEME}
    for methods in description["paths"].values():
        for operation in methods.values():
            name = operation["operationId"]
            is_open = name in OPEN_OPERATIONS
            operation["security"] = [] if is_open else [{KEY: [SCOPE_OF[name].value]}]


def process_request_body() -> dict[str, Any]:
    """Describe the multipart body of a job: one or more files and every option."""
    return upload_request_body({**_option_schemas(), "webhook_id": _WEBHOOK})


def upload_request_body(options: dict[str, Any] | None = None) -> dict[str, Any]:
    """Describe a multipart body: at least one file, in one of four ways, and options by name."""
    return {
        "requestBody": {
            "required": True,
            "description": f"At least one of: {', '.join(_FILES)}.",
            "content": {
                "multipart/form-data": {
                    "schema": {
                        "type": "object",
                        "additionalProperties": False,
                        "properties": {**_FILES, **(options or {})},
                    },
                    "encoding": {"file": {"contentType": "audio/*, application/octet-stream"}},
                }
            },
        }
    }


def _option_schemas() -> dict[str, Any]:
    properties = ProcessingOptions.model_json_schema()["properties"]
    return {name: _as_form_field(name, schema) for name, schema in properties.items()}


def _as_form_field(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """Convert an option's schema to a form field's: lists and mappings become text."""
    field = dict(schema)
    if field.get("type") in _NOT_TEXT:
        field = {"type": "string", "title": schema.get("title", name)}
        description = schema.get("description", "")
        default = schema.get("default")
        if schema["type"] == "array":
            field["default"] = ",".join(default or [])
            description += " Separated by commas, or one part for each."
            if default:  # all that there is
                description += f" Any of: {', '.join(default)}."
        field["description"] = description.strip()
    if name in EXAMPLES:
        field["examples"] = [EXAMPLES[name]]
    return field
