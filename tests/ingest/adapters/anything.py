"""Values of any type, anywhere in an example: what a sender would never send."""

from typing import Any

from hypothesis import strategies as st

_plain = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from(("x" * 600, "\x00", "0", "-1", "2026-13-01"))
)
json: st.SearchStrategy[Any] = st.recursive(
    _plain,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def somewhere(data: st.DataObject, example: Any, value: Any) -> Any:
    """The example with the value in one place of it, however deep, or in its own."""
    if not isinstance(example, dict | list) or not example or data.draw(st.integers(0, 7)) == 0:
        return value
    place = data.draw(st.sampled_from(sorted(example) if isinstance(example, dict) else range(len(example))))
    example[place] = somewhere(data, example[place], value)
    return example
