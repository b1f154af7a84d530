"""From a noisy byte stream to checked NMEA 0183 sentences."""

from collections import Counter

SENTENCE_BYTES_MAX = 256
"""NMEA 0183 says 82; receivers exceed it."""


class SentenceReader:
    """Cuts a byte stream into sentences whose checksum is right; everything else is counted and left out.

    Serial lines lose bytes, modems mix binary into the stream, and a reader starts in the middle of a sentence:
    none of that may cost the sentence behind it.

    Attributes:
        rejected: counts by reason: `noise` (stretches outside a sentence), `half` (a new sentence began inside one),
            `length`, `checksum`.
    """

    def __init__(self) -> None:
        self.rejected: Counter[str] = Counter()
        self._pending = b""

    def feed(self, chunk: bytes) -> list[bytes]:
        """Take bytes as they come.

        Returns:
            The complete sentences, `$` to checksum, without the end of line.
        """
        *lines, self._pending = (self._pending + chunk).replace(b"\r", b"\n").split(b"\n")
        sentences = [sentence for line in lines if (sentence := self._sentence_of(line)) is not None]
        self._bound_pending()
        return sentences

    def _sentence_of(self, line: bytes) -> bytes | None:
        before, dollar, _ = line.partition(b"$")
        if before.strip():
            self.rejected["noise"] += 1
        if not dollar:
            return None
        sentence = line[line.rindex(b"$") :].rstrip()
        if line.count(b"$") > 1:
            self.rejected["half"] += 1
        if len(sentence) > SENTENCE_BYTES_MAX:
            self.rejected["length"] += 1
            return None
        if not checksum_is_right(sentence):
            self.rejected["checksum"] += 1
            return None
        return sentence

    def _bound_pending(self) -> None:
        """Keep of an unfinished line what can still become a sentence."""
        if len(self._pending) <= SENTENCE_BYTES_MAX:
            return
        start = self._pending.rfind(b"$")
        keep = self._pending[start:] if start >= 0 else b""
        self.rejected["length" if start == 0 else "noise"] += 1
        self._pending = keep if len(keep) <= SENTENCE_BYTES_MAX else b""


def checksum(body: bytes) -> int:
    """Exclusive or of the bytes between `$` and `*` (NMEA 0183 v4.11 §5.3.2)."""
    value = 0
    for byte in body:
        value ^= byte
    return value


def checksum_is_right(sentence: bytes) -> bool:
    """Whether a sentence carries its checksum; one without any is not believed."""
    body, star, digits = sentence[1:].partition(b"*")
    if not star or len(digits) != 2:
        return False
    try:
        return int(digits, 16) == checksum(body)
    except ValueError:
        return False
