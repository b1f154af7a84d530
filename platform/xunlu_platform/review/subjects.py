"""Whom a look back is about: officers, and devices that nobody wore."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Self

from xunlu_platform.errors import NotFoundError, TooMuchError
from xunlu_platform.store.review import STRETCHES_MAX, Stretch, read_devices, read_officers, read_worn
from xunlu_platform.store.store import Row, Session
from xunlu_platform.store.who import read_wearers

SUBJECTS_MAX: Final = 50
SUBJECT_PATTERN: Final = r"^(o[1-9][0-9]{0,17}|d[A-Za-z0-9_-]{1,64})$"


@dataclass(frozen=True, kw_only=True, slots=True)
class Officer:
    """Who it is, in the words of people; `unit` is the name of today's."""

    id: int
    number: str
    name: str
    unit: str

    @classmethod
    def of(cls, row: Row) -> Self:
        """From a row of `review.officers`."""
        return cls(id=row["id"], number=row["number"], name=row["name"], unit=row["unit"])


@dataclass(frozen=True, kw_only=True, slots=True)
class Subject:
    """An officer with what they wore, or a device.

    Attributes:
        key: `o{officer id}` or `d{did}`.
        officer: None of a device.
        worn: oldest first, never two at once; of a device the whole time.
    """

    key: str
    officer: Officer | None
    worn: tuple[Stretch, ...]

    @property
    def name(self) -> str:
        """How people call it: the officer's number or the did."""
        return self.officer.number if self.officer else self.key[1:]


async def find_subjects(session: Session, keys: Sequence[str], since: datetime, until: datetime) -> list[Subject]:
    """The subjects of a question, in its order, each once; officers who have left and devices locked out as well.

    Args:
        session: within the scope of whoever asks.
        keys: in the form of `SUBJECT_PATTERN`.
        since: included.
        until: excluded; nothing is worn in the future, so that nobody explains what has not been.

    Raises:
        NotFoundError: one of them does not exist within the scope.
        TooMuchError: they wore more than `STRETCHES_MAX` devices one after the other.
        StoreError: the database does not answer.
    """
    distinct = list(dict.fromkeys(keys))
    until = min(until, datetime.now(UTC))
    ids = [int(key[1:]) for key in distinct if key[0] == "o"]
    officers = {f"o{row['id']}": Officer.of(row) for row in await read_officers(session, ids)}
    devices = {f"d{row['did']}": row for row in await read_devices(session, [k[1:] for k in distinct if k[0] == "d"])}
    if missing := [key for key in distinct if key not in officers and key not in devices]:
        raise NotFoundError(f"There is no {', '.join(missing)} in your part of the organisation; look it up again.")
    worn: dict[str, list[Stretch]] = {key: [] for key in distinct}
    rows = await read_worn(session, ids, since, until) if ids else []
    if len(rows) > STRETCHES_MAX:
        raise TooMuchError("Devices changed hands too often. Ask for a shorter time or for fewer officers.")
    for row in rows:
        worn[f"o{row['officer_id']}"].append(_stretch(row))
    for key, row in devices.items() if since < until else ():
        worn[key].append(Stretch(device_id=row["id"], did=row["did"], since=since, until=until))
    return [Subject(key=key, officer=officers.get(key), worn=tuple(worn[key])) for key in distinct]


async def find_wearers(session: Session, device_id: int, since: datetime, until: datetime) -> list[Officer]:
    """The officers within the scope who wore a device, who wore it first before who wore it later.

    Raises:
        TooMuchError: it changed hands too often.
        StoreError: the database does not answer.
    """
    worn = await read_wearers(session, [device_id], since, until)
    ids = list(dict.fromkeys(row["officer_id"] for row in worn))
    officers = {row["id"]: Officer.of(row) for row in await read_officers(session, ids)}
    return [officers[one] for one in ids if one in officers]


def _stretch(row: Row) -> Stretch:
    return Stretch(device_id=row["device_id"], did=row["did"], since=row["since"], until=row["until"])
