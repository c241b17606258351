"""How a broken rule of a tracking plan is named: by its place in the plan alone. Pure."""

from jsonschema_rs import ValidationError, ValidationErrorKind

MAX_POINTER = 200
_ANY = frozenset(("additionalProperties", "items", "contains", "unevaluatedProperties", "unevaluatedItems"))
_ASIDE = frozenset(("allOf", "anyOf", "oneOf", "dependentSchemas"))
"""What stands right after these says nothing of where in the event."""


def rule_of(part: str, error: ValidationError) -> str:
    """`/properties/products/*/price type`: where in the event, by what the plan says of it, and the keyword.

    A place that the plan has no name for, as a line of a list, is `*`.
    """
    steps, keyword = _way([str(step) for step in error.evaluation_path])
    if isinstance(error.kind, ValidationErrorKind.Required):
        steps = [*steps, error.kind.property]
    return f"{pointer(part, *steps)} {keyword}"


def pointer(*steps: str) -> str:
    """A JSON pointer, cut off where it is long."""
    whole = "".join(f"/{step.replace('~', '~0').replace('/', '~1')}" for step in steps)
    return legible(whole[:MAX_POINTER])


def legible(text: str) -> str:
    """A name as it stands in a rule: rules are told apart by semicolons."""
    return text.replace(";", ",")


def _way(path: list[str]) -> tuple[list[str], str]:
    """A path through a schema as a way through what it describes, and the keyword at its end."""
    steps: list[str] = []
    place, last = 0, len(path) - 1
    while place <= last:
        keyword = path[place]
        if place == last or keyword == "propertyNames":
            return steps, keyword
        if keyword in ("properties", "prefixItems"):
            steps.append(path[place + 1])
        elif keyword in _ANY or keyword == "patternProperties":
            steps.append("*")
        place += (
            2 if keyword in ("properties", "prefixItems", "patternProperties") or keyword in _ASIDE else 1
        )
    return steps, "false"
