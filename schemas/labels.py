"""What customers are sorted by: the six lifecycle stages, and the names of tags, segments, roles and tiers."""

from typing import Literal

Stage = Literal["prospect", "responder", "new", "mature", "silent", "churned"]
STAGES: tuple[Stage, ...] = ("prospect", "responder", "new", "mature", "silent", "churned")
LabelKind = Literal["tag", "segment", "role", "value"]
LABEL_KINDS: tuple[LabelKind, ...] = ("value", "role", "tag", "segment")
