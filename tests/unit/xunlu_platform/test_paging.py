"""Cursors: opaque, and harmless when somebody makes one up."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xunlu_platform.api.paging import decode_cursor, encode_cursor, page
from xunlu_platform.api.problems import Problem
from xunlu_platform.api.search import pattern
from xunlu_platform.pinyin import pinyin_of


@given(st.text())
def test_a_text_comes_back_from_its_cursor(key: str) -> None:
    assert decode_cursor(encode_cursor(key), str) == key


@given(st.text(max_size=200))
def test_a_made_up_cursor_is_a_problem_of_the_caller_or_a_key(cursor: str) -> None:
    value: object = 0
    with contextlib.suppress(Problem):
        value = decode_cursor(cursor, int)
    assert isinstance(value, int)


def test_a_cursor_of_another_kind_of_list_is_refused() -> None:
    with pytest.raises(Problem):
        decode_cursor(encode_cursor("R1"), int)


def test_one_row_too_many_says_that_there_is_a_next_page() -> None:
    rows = [{"id": number} for number in range(1, 4)]
    first = page(rows, 2, lambda row: row["id"])
    assert first == {"items": rows[:2], "next": encode_cursor(2)}
    assert page(rows, 3, lambda row: row["id"])["next"] is None


def test_what_people_type_is_text_and_no_pattern() -> None:
    assert pattern("50%_a\\b") == "%50\\%\\_a\\\\b%"
    assert pattern("  ") is None


@pytest.mark.parametrize(
    ("name", "sound"),
    [("王小明", "wangxiaoming wxm"), ("Anna 王", "annawang aw"), ("", ""), ("重庆路", "chongqinglu cql")],
)
def test_a_name_is_found_by_its_sound_and_its_initials(name: str, sound: str) -> None:
    assert pinyin_of(name) == sound
