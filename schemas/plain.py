"""Plain text only: a definition's values carry no SQL, no templates and no code.

Nothing in a value is ever executed anyway, values travel as parameters; but what looks like code in a definition is a
mistake or an attempt, and is refused where it stands. Words alone are no code: `50% off; update now` is refused
nowhere, a statement with its grammar is.
"""

import re
from typing import Annotated

from pydantic import AfterValidator, Field

MAX_REASON = 500
"""Characters in which an operator says why."""
_NAME = r"[\w.\"`]+"
_LIST = r"[\w.]+(\s*,\s*[\w.]+)*"
_ENDS = r"$|[;,()]|--|where\b|limit\b|(order|group)\s+by\b"
_OBJECT = r"(?:table|database|view|user|dictionary|function)"
_BEGINS = r"(?:^|[;('\"]|\bunion\b|\ball\b)\s*"
"""Where a statement may begin; a sentence there begins with a capital, `Select`, which a statement does not."""
_STATEMENTS = (
    rf"{_BEGINS}(?!(?-i:Select)\b)select\s+(\*|{_LIST})\s+from\s+{_NAME}\s*({_ENDS})",
    r"\bselect\s+(\*|\w+\([^)]*\).*)\s+from\s+\w",
    r"\bselect\b.+\bfrom\b.+\bwhere\b.+[=<>]",
    r"\bunion\s+(all\s+)?select\b|;\s*select\s+[\d*'\"(@]|\binto\s+outfile\b",
    rf"{_BEGINS}(?!(?-i:Delete)\b)delete\s+from\s+{_NAME}\s*($|;|--)|\bdelete\s+from\s+{_NAME}\s+where\b",
    rf"\binsert\s+into\s+{_NAME}\s*(\(|values\b|select\b|format\b)|\bupdate\s+{_NAME}\s+set\s+{_NAME}\s*=",
    rf"\b(drop|truncate|attach|detach)\s+{_OBJECT}\b|\balter\s+table\b",
    rf"{_BEGINS}(?-i:CREATE|ALTER|GRANT|REVOKE|create|alter|grant|revoke)\s+{_OBJECT}\b",
    rf"\b(create|alter)\s+{_OBJECT}\s+({_NAME}\s*(\(|as\s+select\b|identified\b|engine\b)|if\b)",
    r"\b(?:or|and)\s+'?(\d+)'?\s*=\s*'?\1\b|\bor\s+'(\w*)'\s*=\s*'\2",
    r"/\*|;\s*--|['\")]\s*--\s*$|'--",
)
_TABLES = "(url|file|s3|remote|remotesecure|mysql|postgresql|hdfs|executable|numbers|cluster)"
_CODE: tuple[tuple[str, str], ...] = (
    (r"\{\{|\}\}|\{%|\$\{|<%|#\{", "a template"),
    (r"__\w+__|(?-i:\blambda\b[\w\s,*]*:)|(^|[;\n])\s*(?-i:import)\s+\w+|\bfrom\s+[\w.]+\s+import\s|<script\b", "code"),
    *((statement, "SQL") for statement in _STATEMENTS),
    (r"`[^`]*`", "SQL"),
    (r"\b(system|information_schema)\.\w", "a database's identifier"),
    (rf"\b{_TABLES}(\s*\(\s*['\"]|\(\s*(\d|[\w.]+\s*,))", "a table function"),
    (r"\b(dictget\w*|eval|exec|getattr|concat|compile)(\(|\s+\(\s*['\"])", "a function call"),
    (r"\b(open|system)\s*\(\s*['\"]|\b(sleep|char)\s*\(\s*\d", "a function call"),
)  # fmt: skip
_FORBIDDEN = tuple((re.compile(pattern, re.IGNORECASE | re.DOTALL), what) for pattern, what in _CODE)
_CERTAIN = _FORBIDDEN[: 2 + len(_STATEMENTS)]


def plain(text: str) -> str:
    """The text, where it is plain; ValueError says what it carries."""
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in text):
        raise ValueError("must not hold control characters")
    for pattern, what in _FORBIDDEN:
        if pattern.search(text):
            raise ValueError(f"looks like {what}; values are plain text, nothing in them is executed")
    return text


def prose(text: str) -> str:
    """A text for people, of several lines if need be, where it carries no template, statement or script.

    Less is refused than in a value: a function's name with brackets, or words within backticks, are neither.
    """
    for pattern, what in _CERTAIN:
        if pattern.search(text):
            raise ValueError(f"looks like {what}; it is read by people, nothing in it is executed")
    return text


About = Annotated[str, Field(max_length=1_000), AfterValidator(prose)]
"""Why a definition is there, for people."""
