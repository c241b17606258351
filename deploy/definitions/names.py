"""Names of definitions as operators type them: `segment/vip`, `vip` alone, `stage` and `value` for the one there is."""

from collections.abc import Iterable

from schemas.errors import ConfigError

ONLY = {"stage": "lifecycle", "lifecycle": "lifecycle", "value": "value"}
"""What there is one of, and its kind."""


def meant(names: Iterable[str], given: str, where: str, otherwise: str = "there is no {}") -> str:
    """The one of these names, kind/name each, that is meant; ConfigError lists the candidates where it is not one."""
    there = sorted(set(names))
    found = [name for name in there if given in (name, name.partition("/")[2])]
    found += [name for name in there if name.partition("/")[0] == ONLY.get(given) and name not in found]
    if given in found:
        return given
    if len(found) > 1:
        raise ConfigError(f"{given} may be any of {', '.join(found)}", where, "name the kind too")
    if not found:
        raise ConfigError(otherwise.format(given), where, f"there are {', '.join(there)}")
    return found[0]
