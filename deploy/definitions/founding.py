"""The first model: which definitions a new deployment starts with."""

from collections.abc import Sequence

from deploy.definitions.plan import plan
from schemas import folders
from schemas.definitions import PRESETS, Definition, key_of
from schemas.errors import ConfigError
from schemas.graph import Defined
from schemas.lifecycle import Lifecycle
from schemas.settings import Settings

FIRST = 1


def founding(settings: Settings, chosen: Sequence[Definition]) -> tuple[list[Definition], list[Definition]]:
    """What is written of definitions, and what gets a marker, where identity and lifecycle are chosen.

    ConfigError where the definitions that the settings name cannot be in force together.
    """
    lifecycle = next(each for each in chosen if isinstance(each, Lifecycle))
    wanted = _wanted(settings, lifecycle)
    first = plan({}, None, wanted, "founded", FIRST)
    lifecycle = next(each for each in wanted if isinstance(each, Lifecycle))
    others = [each for each in chosen if not isinstance(each, Lifecycle)]
    return [*others, *first.definitions, first.model], [*others, lifecycle, first.model]


def _named(settings: Settings) -> str:
    """The folder or preset that the settings name; none where there is none of the lifecycle's name."""
    is_preset = "/" not in settings.lifecycle and (PRESETS / settings.lifecycle).is_dir()
    return settings.definitions or (settings.lifecycle if is_preset else "")


def _wanted(settings: Settings, lifecycle: Lifecycle) -> list[Defined]:
    name = _named(settings)
    if not name:
        return [lifecycle]
    wanted = folders.load(name, lifecycle)
    own = next(each for each in wanted if isinstance(each, Lifecycle))
    if "lifecycle" in settings.model_fields_set and own != lifecycle:
        what = f"the folder has {key_of(own)}, and CDP_LIFECYCLE names {key_of(lifecycle)}"
        raise ConfigError(what, name, "leave one of the two out")
    return wanted
