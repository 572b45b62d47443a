"""Whether the arguments of a call are what the tool takes, under the JSON Schema that it was accepted with."""

from collections.abc import Mapping
from typing import Any

from fairlead.errors import BadInput
from fairlead.tools.types import Definition


def refuse_reference(uri: str) -> Any:
    """The `retriever` of a JSON Schema that somebody else wrote: it must not send us anywhere. Raises `ValueError`."""
    raise ValueError(f"it refers to {uri}, and references outside of it are not followed")


class Checker:
    """The compiled schema of one tool's arguments. Raises `BadInput` for a schema that is none."""

    def __init__(self, definition: Definition) -> None:
        import jsonschema_rs  # only where there are tools: it is large

        schema = dict(definition.input)
        schema.setdefault("type", "object")
        try:
            self._validator = jsonschema_rs.validator_for(schema, retriever=refuse_reference)
        except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
            raise BadInput(
                f"{definition.name}: its arguments have no valid JSON Schema: {str(error).splitlines()[0]}",
                why="what cannot be checked is not called",
                mend="leave the tool out by `only:`, or have its owner mend the schema",
            ) from None

    def check(self, arguments: Mapping[str, Any]) -> None:
        """Raises `BadInput` that names the first argument that is wrong."""
        if self._validator.is_valid(arguments):
            return
        error = next(iter(self._validator.iter_errors(arguments)))
        where = "/".join(str(each) for each in error.instance_path)
        raise BadInput(
            f"the argument {where or 'object'} is wrong: {error.message[:300]}",
            why="the tool was accepted with a schema of its arguments, and these do not fit it",
            mend="see the tool's arguments: fairlead tools list --json",
            param=f"arguments/{where}" if where else "arguments",
        )
