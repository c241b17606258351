"""Definitions as files and as records of `cdp.definitions.v1`.

A record's key is kind/name/version, its value the definition as JSON. A version in the log is never changed:
publishing the same key with another content is refused.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from schemas.errors import ConfigError
from schemas.identity import IdentityRules
from schemas.lifecycle import Lifecycle
from schemas.places import told
from schemas.portrait import Model, Rates, Role, Segment, TagRules, Thresholds, Value

Definition = IdentityRules | Lifecycle | Value | Role | TagRules | Segment | Thresholds | Rates | Model
KINDS: dict[str, type[Definition]] = {
    "identity": IdentityRules, "lifecycle": Lifecycle, "value": Value, "role": Role, "tag": TagRules,
    "segment": Segment, "thresholds": Thresholds, "rates": Rates, "model": Model,
}  # fmt: skip
PRESETS = Path(__file__).parent / "presets"
MAX_FILE = 256 * 1024
MAX_FAULTS = 10
"""Faults of a document that are told."""
Document = TypeVar("Document", bound=BaseModel)


class _PlainYaml(yaml.SafeLoader):
    """YAML of plain values.

    No aliases (a few lines can unfold to billions) and no tags, no key twice, `NO` is a region, not false.
    """

    yaml_implicit_resolvers = {  # noqa: RUF012
        first: [(tag, regexp) for tag, regexp in resolvers if tag != "tag:yaml.org,2002:bool"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or getattr(event, "tag", None):
            problem = "aliases and tags are not taken: write it out"
            raise yaml.composer.ComposerError(problem=problem, problem_mark=event.start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if (name := str(key.value)) in seen:
                problem = f"{name[:40]!r} stands twice in a mapping"
                raise yaml.constructor.ConstructorError(problem=problem, problem_mark=key.start_mark)
            seen.add(name)
        return super().construct_mapping(node, deep)


_PlainYaml.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf"))


def key_of(definition: Definition) -> str:
    """`lifecycle/ecommerce/1`."""
    return f"{definition.kind}/{definition.name}/{definition.version}"


def parse(data: Any, where: str) -> Definition:
    """The definition that a parsed document holds; ConfigError names the place in it."""
    return validate(model_of(data, where), data, where)


def model_of(data: Any, where: str) -> type[Definition]:
    """The model of a parsed document's kind; ConfigError where it names none."""
    if not isinstance(data, dict) or str(data.get("kind")) not in KINDS:
        raise ConfigError(f"a definition needs `kind:` with one of {', '.join(KINDS)}", where)
    return KINDS[data["kind"]]


def load(name: str, kind: str) -> Definition:
    """A definition from a preset's name or a YAML file."""
    preset = PRESETS / f"{'identity' if (kind, name) == ('identity', 'default') else name}.yaml"
    path = preset if "/" not in name and preset.exists() else Path(name)
    if not path.exists():
        presets = sorted(p.stem for p in PRESETS.glob("*.yaml") if p.stem not in ("identity", "sources"))
        raise ConfigError("no such file", str(path), f"presets are: {', '.join(presets)}")
    definition = parse(read_yaml(path), str(path))
    if definition.kind != kind:
        raise ConfigError(f"this is a definition of kind {definition.kind}, not {kind}", str(path))
    return definition


def read_yaml(path: Path) -> Any:
    """A YAML document of plain values; ConfigError with the line where it cannot be read."""
    try:
        if path.stat().st_size > MAX_FILE:
            raise ConfigError(f"larger than {MAX_FILE // 1024} KiB", str(path))
        return yaml.load(path.read_text("utf-8"), _PlainYaml)  # noqa: S506  (a SafeLoader)
    except FileNotFoundError:
        raise ConfigError("no such file", str(path)) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot be read: {error}", str(path)) from None
    except RecursionError:
        raise ConfigError("nested too deeply", str(path)) from None
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
        raise ConfigError(
            f"cannot be read as YAML: {getattr(error, 'problem', None) or error}", place
        ) from None


def line_of(path: Path, way: Sequence[int | str]) -> int:
    """The line of a readable file on which a place stands; of one that is not written, what is nearest above it."""
    node = yaml.compose(path.read_text("utf-8"), _PlainYaml)
    found = node
    for part in way:
        if isinstance(node, yaml.MappingNode):
            pairs = [(key, value) for key, value in node.value if key.value == str(part)]
            found, node = pairs[0] if pairs else (found, None)
        elif isinstance(node, yaml.SequenceNode) and str(part).isdigit() and int(part) < len(node.value):
            found = node = node.value[int(part)]
        else:
            break
    return int(found.start_mark.line) + 1 if found else 1


def validate(model: type[Document], data: Any, where: str) -> Document:
    """The model of a document; ConfigError lists each fault with its place."""
    found = tried(model, data)
    if isinstance(found, list):
        raise ConfigError("; ".join(found[:MAX_FAULTS]), where)
    return found


def tried(model: type[Document], data: Any) -> Document | list[str]:
    """The model of a document, or each fault of it, `place: what is wrong`."""
    try:
        return model.model_validate(data)
    except RecursionError:
        return ["nested too deeply"]
    except ValidationError as error:
        listed = [f for f in error.errors(include_url=False, include_input=False) if not _follows(f, error)]
        return list(dict.fromkeys(told(fault, data) for fault in listed))


def _follows(fault: ErrorDetails, error: ValidationError) -> bool:
    """Whether a list is only too short, or no word for all of them, because there are faults in it."""
    loc = fault["loc"]
    inner = [f["loc"] for f in error.errors(include_url=False, include_input=False)]
    if fault["type"] == "literal_error" and str(loc[-1]).startswith("literal["):
        return any(len(i) > len(loc) and i[: len(loc) - 1] == loc[:-1] for i in inner)
    return fault["type"] == "too_short" and any(len(i) > len(loc) and i[: len(loc)] == loc for i in inner)
