"""Accounts of people and programs."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from xunlu_platform.api.access import allow
from xunlu_platform.api.audit import record
from xunlu_platform.api.officers import one_officer, require_unit
from xunlu_platform.api.paging import After, Answer, Limit, Page, decode_cursor, page
from xunlu_platform.api.problems import conflict, invalid, not_found
from xunlu_platform.api.services import Serving
from xunlu_platform.api.units import Id
from xunlu_platform.auth.broker_accounts import is_reserved
from xunlu_platform.auth.logins import Caller
from xunlu_platform.auth.passwords import hash_password, random_password
from xunlu_platform.auth.roles import Role
from xunlu_platform.store.store import Row, Session

router = APIRouter(prefix="/users", tags=["users"])

DisplayName = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00]*$")]


class User(Answer):
    """An account."""

    id: int
    username: str
    display_name: str
    role: Role
    unit_id: int
    officer_id: int | None
    disabled: bool
    locked_until: datetime | None
    created_at: datetime


class FreshUser(User):
    """An account and its password, told this one time; it must be changed at the first sign-in."""

    password: str


class NewUser(BaseModel):
    """`officer_id` ties the account to an officer; the role `officer` needs it."""

    username: Annotated[str, Field(min_length=2, max_length=64, pattern=r"^[A-Za-z0-9._@-]+$")]
    display_name: DisplayName
    role: Role
    unit_id: Id
    officer_id: Id | None = None


class UserChange(BaseModel):
    """What is left out stays; `officer_id: null` unties the officer."""

    display_name: DisplayName | None = None
    role: Role | None = None
    unit_id: Id | None = None
    officer_id: Id | None = None
    disabled: bool | None = None


@router.get("", response_model=Page[User])
async def users(
    services: Serving, caller: Annotated[Caller, allow("users")], limit: Limit = 100, after: After = None
) -> dict[str, object]:
    """Accounts of the caller's unit and below."""
    async with services.store.session(caller.scope) as session:
        rows = await session.all("accounts", "page", {"limit": limit + 1, "after": decode_cursor(after, int)})
    return page(rows, limit, lambda row: row["id"])


@router.post("", response_model=FreshUser, status_code=HTTPStatus.CREATED)
async def create_user(services: Serving, caller: Annotated[Caller, allow("users")], new: NewUser) -> Row:
    """Add an account; the answer carries its password."""
    if is_reserved(new.username) and new.username.lower() != "admin":
        raise invalid(
            "username",
            "reserved-username",
            "Names that begin with “xunlu” and the name “claim” belong to the platform itself.",
        )
    password = random_password()
    values = {**new.model_dump(), "password_hash": await hash_password(password), "must_change": True}
    async with services.store.session(caller.scope) as session:
        await require_unit(session, new.unit_id)
        await _check_officer(session, new.role, new.officer_id)
        row = await session.one("accounts", "insert", values)
        assert row is not None
        await record(session, caller, "user.create", new.username.lower(), role=new.role, unit_id=new.unit_id)
        return {**await _one(session, row["id"]), "password": password}


@router.patch("/{user_id}", response_model=User)
async def change_user(
    services: Serving, caller: Annotated[Caller, allow("users")], user_id: Id, change: UserChange
) -> Row:
    """Change or disable an account; what it is signed in with ends with a change of role, unit or officer."""
    if user_id == caller.account_id and (change.disabled or change.role not in (None, caller.role)):
        raise conflict("not-yourself", "You cannot disable or demote yourself.", "Let another administrator do it.")
    given = change.model_fields_set
    async with services.store.session(caller.scope) as session:
        user = await _one(session, user_id)
        if change.unit_id is not None:
            await require_unit(session, change.unit_id)
        officer_id = change.officer_id if "officer_id" in given else user["officer_id"]
        await _check_officer(session, change.role or user["role"], officer_id)
        values = {**change.model_dump(), "id": user_id, "officer_given": "officer_id" in given}
        await session.run("accounts", "change", values)
        if given & {"role", "unit_id", "officer_id", "disabled"}:
            await session.run("accounts", "end_logins", {"id": user_id, "but": caller.token_hash})
        await record(session, caller, "user.change", user["username"], **change.model_dump(exclude_unset=True))
        return await _one(session, user_id)


@router.post("/{user_id}/reset-password", response_model=FreshUser)
async def reset_password(services: Serving, caller: Annotated[Caller, allow("users")], user_id: Id) -> Row:
    """Give an account a new password and unlock it; all of its logins end."""
    password = random_password()
    values = {"id": user_id, "password_hash": await hash_password(password), "must_change": True}
    async with services.store.session(caller.scope) as session:
        user = await _one(session, user_id)
        await session.run("accounts", "set_password", values)
        await session.run("accounts", "end_logins", {"id": user_id, "but": None})
        await record(session, caller, "user.reset-password", user["username"])
        return {**await _one(session, user_id), "password": password}


async def _check_officer(session: Session, role: Role, officer_id: int | None) -> None:
    if officer_id is not None:
        await one_officer(session, officer_id)
    elif role == "officer":
        raise invalid("officer_id", "officer-needed", "An account of the role “officer” belongs to an officer.")


async def _one(session: Session, user_id: int) -> Row:
    row = await session.one("accounts", "one", {"id": user_id})
    if row is None:
        raise not_found("user")
    return row
