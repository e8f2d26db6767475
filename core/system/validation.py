"""Validates values that came as text, from a form or a command line."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from core.errors import InvalidOption

ModelT = TypeVar("ModelT", bound=BaseModel)


def validate(model: type[ModelT], values: Mapping[str, Any]) -> ModelT:
    """Parse ``values`` as ``model``.

    Raises `InvalidOption`, whose ``field`` names the first value at fault.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = str(first["loc"][0]) if first["loc"] else None
        if first["type"] == "missing":
            raise InvalidOption(f"The option '{field}' is missing.", field=field) from error
        value = values.get(field) if field else None
        raise InvalidOption(
            f"The option '{field}' cannot be {value!r}.", hint=f"{first['msg']}.", field=field
        ) from error
