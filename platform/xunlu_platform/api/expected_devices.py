"""The list imported beforehand: such a device is approved, and bound, the moment it claims its identity."""

import csv
import io
from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from xunlu_platform.api.access import allow
from xunlu_platform.api.audit import record
from xunlu_platform.api.devices import UnitName
from xunlu_platform.api.paging import After, Answer, Limit, Page, decode_cursor, page
from xunlu_platform.api.problems import Complaint, Problem, complaint_of, invalid, not_found
from xunlu_platform.api.services import Services, Serving
from xunlu_platform.auth.logins import Caller
from xunlu_platform.store.store import Session

router = APIRouter(prefix="/expected-devices", tags=["devices"])

ROWS_MAX = 5000
COLUMNS = ("serial", "vendor", "model", "unit", "officer_number", "inspection_report")

Vendor = Annotated[str, Path(max_length=64)]
Serial = Annotated[str, Path(pattern=r"^[A-Za-z0-9._-]{1,64}$")]


class ExpectedDevice(Answer):
    """A device that has not claimed its identity yet, or has already."""

    serial: str
    vendor: str
    model: str
    unit: UnitName
    officer_number: str | None
    inspection_report: str | None
    imported_at: datetime


class Imported(Answer):
    """How many rows were taken: all of them or none."""

    imported: int


class _Line(BaseModel):
    """A row of the CSV; `unit` by name, officers by number."""

    model_config = ConfigDict(str_strip_whitespace=True)

    serial: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
    vendor: Annotated[str, Field(min_length=1, max_length=64)]
    model: Annotated[str, Field(min_length=1, max_length=64)]
    unit: Annotated[str, Field(min_length=1, max_length=100)]
    officer_number: Annotated[str, Field(max_length=32)] = ""
    inspection_report: Annotated[str, Field(max_length=100)] = ""


@router.get("", response_model=Page[ExpectedDevice])
async def expected_devices(
    services: Serving, caller: Annotated[Caller, allow("devices")], limit: Limit = 100, after: After = None
) -> dict[str, object]:
    """The list."""
    after_vendor, after_serial = decode_cursor(after, tuple[str, str]) or (None, None)
    values = {"limit": limit + 1, "after_vendor": after_vendor, "after_serial": after_serial}
    async with services.store.session(caller.scope) as session:
        rows = await session.all("expected", "page", values)
    return page(rows, limit, lambda row: [row["vendor"], row["serial"]])


@router.post(
    "",
    openapi_extra={"requestBody": {"content": {"text/csv": {"schema": {"type": "string"}}}, "required": True}},
)
async def import_expected(services: Serving, caller: Annotated[Caller, allow("devices")], request: Request) -> Imported:
    """Import a CSV: serial, vendor, model, unit, officer_number, inspection_report; all rows or none."""
    lines = _parse(await request.body())
    async with services.store.session(caller.scope) as session:
        for number, line in enumerate(lines, 2):
            await _put(services, session, number, line)
        await record(session, caller, "expected-device.import", f"{len(lines)}")
    return Imported(imported=len(lines))


@router.delete("/{vendor}/{serial}", status_code=HTTPStatus.NO_CONTENT)
async def forget_expected(
    services: Serving, caller: Annotated[Caller, allow("devices")], vendor: Vendor, serial: Serial
) -> None:
    """Take a device off the list; a device that has claimed its identity keeps it."""
    async with services.store.session(caller.scope) as session:
        if not await session.run("expected", "delete", {"vendor": vendor, "serial": serial}):
            raise not_found("expected device")
        await record(session, caller, "expected-device.delete", f"{vendor} {serial}")


def _parse(body: bytes) -> list[_Line]:
    try:
        # Excel writes a byte order mark.
        text = body.decode("utf-8-sig")
        reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
        if not set(COLUMNS[:4]) <= set(reader.fieldnames or ()):
            raise invalid(
                "body", "csv-columns", "The first line must name the columns {columns}.", columns=", ".join(COLUMNS)
            )
        return [_line(number, row) for number, row in enumerate(reader, 2)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise invalid("body", "csv", "This is not CSV in UTF-8: {error}", error=str(error)) from error


def _line(number: int, row: dict[str, str | None]) -> _Line:
    if number > ROWS_MAX + 1:
        raise invalid("body", "too-many-rows", "Import at most {rows} devices at once.", rows=ROWS_MAX)
    try:
        return _Line.model_validate({name: text for name, text in row.items() if name in COLUMNS and text is not None})
    except ValidationError as error:
        raise _row_problem(number, complaint_of(error.errors()[0])) from error


def _row_problem(number: int, complaint: Complaint) -> Problem:
    told = f"Row {number}, {complaint['field']}: {complaint['message']}"
    located: Complaint = {**complaint, "values": {**complaint["values"], "row": number}}
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid", "body cannot be taken.", told, errors=[located])


async def _put(services: Services, session: Session, number: int, line: _Line) -> None:
    unit = await session.one("units", "by_name", {"name": line.unit})
    if unit is None:
        raise invalid("body", "no-such-unit", "Row {row}: there is no unit {unit}.", row=number, unit=line.unit)
    officer_id = None
    if line.officer_number:
        wanted = {"number": line.officer_number, "tenant": services.settings.tenant}
        officer = await session.one("officers", "by_number", wanted)
        if officer is None:
            raise invalid(
                "body",
                "no-such-officer",
                "Row {row}: there is no officer {number}.",
                row=number,
                number=line.officer_number,
            )
        officer_id = officer["id"]
    values = {"unit_id": unit["id"], "officer_id": officer_id, "inspection_report": line.inspection_report or None}
    await session.run("expected", "put", {**line.model_dump(include={"serial", "vendor", "model"}), **values})
