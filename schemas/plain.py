"""Plain text only: a definition's values carry no SQL, no templates and no code.

Nothing in a value is ever executed anyway, values travel as parameters; but what looks like code in a definition is a
mistake or an attempt, and is refused where it stands.
"""

import re
from typing import Annotated

from pydantic import AfterValidator, Field

_CODE: tuple[tuple[str, str], ...] = (
    (r"\{\{|\}\}|\{%|\$\{|<%|#\{", "a template"),
    (r"`|--\s|/\*|;\s*\w+\s", "SQL"),
    (r"\bselect\b.+\bfrom\b|\bunion\s+(all\s+)?select\b|\bor\s+1\s*=\s*1\b", "SQL"),
    (r"\b(drop|alter|create|truncate|attach|detach|grant|revoke)\s+(table|database|view|user|dictionary|function)\b",
     "SQL"),
    (r"\b(insert\s+into|delete\s+from|into\s+outfile)\b", "SQL"),
    (r"\b(system|information_schema)\.\w", "a database's identifier"),
    (r"\b(url|file|s3|remote|remotesecure|mysql|postgresql|hdfs|executable|numbers|cluster)\s*\(", "a table function"),
    (r"\b(dictget\w*|eval|exec|compile|open|getattr|sleep|system|char|concat)\s*\(", "a function call"),
    (r"__\w+__|\blambda\b.*:|\bimport\s+\w+|<script\b", "code"),
)  # fmt: skip
_FORBIDDEN = tuple((re.compile(pattern, re.IGNORECASE | re.DOTALL), what) for pattern, what in _CODE)
_CERTAIN = tuple(
    (pattern, what)
    for pattern, what in _FORBIDDEN
    if what in ("a template", "code") or "table|" in pattern.pattern
)


def plain(text: str) -> str:
    """The text, where it is plain; ValueError says what it carries."""
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in text):
        raise ValueError("must not hold control characters")
    for pattern, what in _FORBIDDEN:
        if pattern.search(text):
            raise ValueError(f"looks like {what}; values are plain text, nothing in them is executed")
    return text


def prose(text: str) -> str:
    """A text for people, of several lines if need be, where it carries no template, statement or script for certain.

    Less is refused than in a value: a semicolon, or the words select and from, are no SQL there.
    """
    for pattern, what in _CERTAIN:
        if pattern.search(text):
            raise ValueError(f"looks like {what}; it is read by people, nothing in it is executed")
    return text


About = Annotated[str, Field(max_length=1_000), AfterValidator(prose)]
"""Why a definition is there, for people."""
