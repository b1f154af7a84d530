"""Sources of the machine become sources of the release that has what we need."""

from pathlib import Path

from xunlu_deploy.apt import Source, machine_sources, moved_to, parse_deb822, parse_one_line

DEB822 = """\
Types: deb deb-src
# the bureau's mirror
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/some.gpg

Types: deb
URIs: http://mirror.example/security
Suites: bookworm-security
Components: main

Enabled: no
Types: deb
URIs: http://mirror.example/off
Suites: bookworm
Components: main
"""

ONE_LINE = """\
# deb http://mirror.example/commented bookworm main
deb [arch=amd64 signed-by=/k.gpg] http://mirror.example/debian bookworm main contrib  # ours
deb http://mirror.example/backports bookworm-backports main
deb-src http://mirror.example/debian bookworm main
"""


def test_stanzas_are_read_and_disabled_ones_left_out() -> None:
    sources = parse_deb822(DEB822)
    assert [source.uris for source in sources] == ["http://mirror.example/debian", "http://mirror.example/security"]
    assert sources[0].suites == ("bookworm", "bookworm-updates")
    assert sources[0].signed_by == "/usr/share/keyrings/some.gpg"


def test_one_line_sources_are_read_with_their_options() -> None:
    sources = parse_one_line(ONE_LINE)
    assert [source.suites for source in sources] == [("bookworm",), ("bookworm-backports",)]
    assert sources[0].signed_by == "/k.gpg"


def test_only_the_distribution_itself_moves_to_the_other_release() -> None:
    moved = moved_to([*parse_deb822(DEB822), *parse_one_line(ONE_LINE)], "bookworm", "trixie", "/all.gpg")
    assert [source.suites for source in moved] == [("trixie", "trixie-updates"), ("trixie-security",), ("trixie",)]
    assert {source.signed_by for source in moved} == {"/all.gpg"}


def test_a_source_survives_being_written_and_read() -> None:
    source = Source(uris="http://m.example/d", suites=("trixie",), components="main", signed_by="/k.gpg")
    assert parse_deb822(source.stanza()) == [source]


def test_every_file_of_the_machine_is_read_but_those_that_apt_ignores(tmp_path: Path) -> None:
    parts = tmp_path / "sources.list.d"
    parts.mkdir()
    (tmp_path / "sources.list").write_text("deb http://m.example/a bookworm main\n")
    (parts / "b.sources").write_text(DEB822)
    (parts / "c.list.disabled").write_text("deb http://m.example/c bookworm main\n")
    assert [source.uris for source in machine_sources(tmp_path)] == [
        "http://m.example/a",
        "http://mirror.example/debian",
        "http://mirror.example/security",
    ]
