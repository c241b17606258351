import re

from schemas import errors
from schemas.errors import CdpError, ConfigError


def every(error: type[CdpError]) -> list[type[CdpError]]:
    return [error, *(deeper for sub in error.__subclasses__() for deeper in every(sub))]


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    drawn: dict[int, str] = {}
    parents = {}
    for line in (errors.__doc__ or "").splitlines():
        match = re.match(r"^    ((?:[|` ]   )*)(?:[|`]-- )?([A-Z]\w+) +\S", line)
        if match:
            depth = (line.index(match[2]) - 4) // 4
            drawn[depth] = match[2]
            parents[match[2]] = drawn.get(depth - 1)
    ours = [error for error in every(CdpError) if error.__module__.startswith("schemas.")]
    assert parents == {
        e.__name__: e.__base__.__name__ if e is not CdpError and e.__base__ else None for e in ours
    }
    assert all(error.__doc__ for error in ours)


def test_an_error_says_what_where_and_what_to_do() -> None:
    assert (
        str(ConfigError("no such file", "sources.yaml", "write one"))
        == "no such file | sources.yaml | write one"
    )
    assert str(CdpError("no such file")) == "no such file"
