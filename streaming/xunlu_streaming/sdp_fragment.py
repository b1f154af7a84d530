"""Fragments of session descriptions that trickle ICE candidates (RFC 8840 §9)."""

import re
from dataclasses import dataclass

from xunlu_streaming.sdp_lines import PASSWORD, UFRAG, Section, refuse, sections

CANDIDATES_MAX = 64

_CANDIDATE = re.compile(r"[A-Za-z0-9+/]{1,32} [0-9]{1,5} \S+ [0-9]{1,10} \S+ [0-9]{1,5} typ .+")  # RFC 8839 §5.1


@dataclass(frozen=True, kw_only=True, slots=True)
class Fragment:
    """A fragment.

    Attributes:
        ufrag: ICE user name fragment that the candidates belong to; None where the fragment does not say.
        candidates: values of its candidate attributes (RFC 8839 §5.1).
    """

    ufrag: str | None
    candidates: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> "Fragment":
        """Read a fragment.

        Raises:
            SdpError: it is malformed; a candidate with a transport that we do not know is not (RFC 9725 §4.3.2).
        """
        parts = sections(text)
        candidates = tuple(value for part in parts for value in part.all("candidate", CANDIDATES_MAX))
        if not all(_CANDIDATE.fullmatch(candidate) for candidate in candidates):
            refuse("candidate", "A candidate is malformed (RFC 8839 §5.1).")
        ufrag = _first(parts, "ice-ufrag", UFRAG)
        _first(parts, "ice-pwd", PASSWORD)
        if ufrag is None and not candidates and not any(part.has("end-of-candidates") for part in parts):
            refuse("fragment", "A fragment has candidates, their end, or ICE credentials.")
        return cls(ufrag=ufrag, candidates=candidates)


def _first(parts: list[Section], name: str, pattern: re.Pattern[str]) -> str | None:
    value = next((part.first(name) for part in parts if part.has(name)), None)
    if value is not None and not pattern.fullmatch(value):
        refuse(name, f"The fragment's {name} is malformed.")
    return value
