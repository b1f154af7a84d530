"""Passwords, throttling and roles, without a database."""

import asyncio
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from xunlu_platform.auth.broker_accounts import access_rules, is_reserved
from xunlu_platform.auth.passwords import hash_password, random_password, verify_password, weakness
from xunlu_platform.auth.roles import PERMISSIONS, Permission, Role
from xunlu_platform.auth.throttle import Throttle


class HandClock:
    """Time that a test moves."""

    now_s = 0.0

    def time_ms(self) -> int:
        return int(self.now_s * 1000)

    def monotonic_s(self) -> float:
        return self.now_s

    async def sleep(self, seconds: float) -> None:
        self.now_s += seconds


async def test_a_password_is_verified_against_its_own_hash_only() -> None:
    first, second = await asyncio.gather(hash_password("correct horse"), hash_password("correct horse"))
    assert first != second
    assert await verify_password("correct horse", first)
    assert not await verify_password("wrong horse", first)
    assert not await verify_password("correct horse", "no hash at all")
    assert not await verify_password("correct horse", None)


def test_a_password_is_long_varied_and_not_the_user_name() -> None:
    assert weakness("correct horse", "lin") is None
    for password in ("short", "aaaaaaaaaaaaaa", "my name is LIN ok", "x" * 300):
        assert weakness(password, "lin"), password


def test_random_passwords_are_good_enough_and_never_the_same() -> None:
    passwords = {random_password() for _ in range(100)}
    assert len(passwords) == 100
    assert not any(weakness(password, "admin") for password in passwords)


def test_an_address_waits_for_the_end_of_its_window() -> None:
    clock = HandClock()
    throttle = Throttle(clock, attempts_max=3, window_s=60)
    for _ in range(3):
        assert throttle.wait_s("10.0.0.1") == 0
        throttle.count("10.0.0.1")
    clock.now_s = 20
    assert throttle.wait_s("10.0.0.1") == 40
    assert throttle.wait_s("10.0.0.2") == 0
    clock.now_s = 60
    assert throttle.wait_s("10.0.0.1") == 0


def test_the_table_of_addresses_is_bounded_and_forgets_the_longest_unused() -> None:
    throttle = Throttle(HandClock(), attempts_max=1, window_s=60, addresses_max=2)
    for address in ("a", "b", "a", "c"):
        throttle.count(address)
    assert (throttle.wait_s("a"), throttle.wait_s("b"), throttle.wait_s("c")) == (60, 0, 60)


def test_every_role_has_a_row_and_only_administrators_manage_accounts() -> None:
    assert set(PERMISSIONS) == set(get_args(Role))
    for sensitive in ("users", "approve", "organisation", "system"):
        assert [role for role, granted in PERMISSIONS.items() if sensitive in granted] == ["administrator"]
    assert PERMISSIONS["administrator"] == set(get_args(Permission))
    changing: set[Permission] = {"command", "alarm", "devices", "officers", "users", "organisation", "approve"}
    assert not PERMISSIONS["auditor"] & changing


@given(st.sampled_from(["xunlu-api", "XUNLU-ingest", "claim", "Admin", "xunlu"]))
def test_names_of_our_own_are_reserved_in_any_case(name: str) -> None:
    assert is_reserved(name)
    assert is_reserved(name.swapcase())


def test_a_device_is_allowed_its_own_topics_and_nothing_while_it_is_disabled() -> None:
    assert access_rules("main", "R1", "disabled", "recorder") == []
    [state] = access_rules("main", "R1", "pending", "recorder")
    assert (state["acltype"], state["topic"]) == ("publishClientSend", "xunlu/v1/main/d/R1/up/state")
    for kind, level in (("recorder", "d"), ("station", "s"), ("tracker", "d")):
        topics = {str(rule["topic"]) for rule in access_rules("main", "R1", "approved", kind)}  # type: ignore[arg-type]
        assert topics == {f"xunlu/v1/main/{level}/R1/up/#", f"xunlu/v1/main/{level}/R1/dn/#", "owntracks/R1/+", "#"}
