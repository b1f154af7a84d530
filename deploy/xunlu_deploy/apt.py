"""Debian packages without root: apt's own resolver over folders of our own.

apt gets an empty status file, so that it names the whole closure of a package, and its own state, cache and sources, so
that the machine's are left alone. Mirrors and keyrings are the machine's own; only the suite is another.
"""

import re
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from xunlu_deploy.errors import DeployError

APT_FOLDER = Path("/etc/apt")
UPDATE_TIMEOUT_S = 300
DOWNLOAD_TIMEOUT_S = 1200

_ONE_LINE = re.compile(r"^deb\s+(?:\[(?P<options>[^]]*)]\s+)?(?P<uri>\S+)\s+(?P<suite>\S+)\s+(?P<components>.+)$")
_KEYRINGS = ("debian-archive-keyring.gpg", "debian-archive-keyring.pgp")


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """One archive: a deb822 stanza reduced to what we need."""

    uris: str
    suites: tuple[str, ...]
    components: str
    signed_by: str

    def stanza(self) -> str:
        """The source as deb822 text (sources.list(5))."""
        signed = f"Signed-By: {self.signed_by}\n" if self.signed_by else ""
        suites = " ".join(self.suites)
        return f"Types: deb\nURIs: {self.uris}\nSuites: {suites}\nComponents: {self.components}\n{signed}"


def parse_deb822(text: str) -> list[Source]:
    """Read the stanzas of a `.sources` file (sources.list(5), DEB822-STYLE FORMAT)."""
    sources = []
    for stanza in re.split(r"\n\s*\n", "\n".join(line for line in text.splitlines() if not line.startswith("#"))):
        fields = {
            key.lower(): " ".join(value.split())
            for key, value in re.findall(r"^([A-Za-z-]+):((?:.*)(?:\n[ \t]+.*)*)", stanza, re.MULTILINE)
        }
        if "deb" in fields.get("types", "").split() and fields.get("enabled", "yes") != "no" and "uris" in fields:
            sources.append(
                Source(
                    uris=fields["uris"],
                    suites=tuple(fields.get("suites", "").split()),
                    components=fields.get("components", "main"),
                    signed_by=fields.get("signed-by", ""),
                )
            )
    return sources


def parse_one_line(text: str) -> list[Source]:
    """Read the `deb …` lines of a `.list` file (sources.list(5), ONE-LINE-STYLE FORMAT)."""
    sources = []
    for line in text.splitlines():
        if match := _ONE_LINE.match(line.split("#", 1)[0].strip()):
            options = dict(re.findall(r"([a-z-]+)=(\S+)", match["options"] or ""))
            sources.append(
                Source(
                    uris=match["uri"],
                    suites=(match["suite"],),
                    components=match["components"],
                    signed_by=options.get("signed-by", ""),
                )
            )
    return sources


def machine_sources(folder: Path = APT_FOLDER) -> list[Source]:
    """Every archive that the machine's administrator has configured."""
    found = []
    for path in [folder / "sources.list", *sorted((folder / "sources.list.d").glob("*"))]:
        if path.suffix in (".list", ".sources") and path.is_file():
            parse = parse_deb822 if path.suffix == ".sources" else parse_one_line
            found += parse(path.read_text("utf-8", errors="replace"))
    return found


def moved_to(sources: Iterable[Source], old: str, new: str, keyring: str) -> list[Source]:
    """The sources of suite `old` (`old`, `old-updates`, `old-security`) pointing to suite `new` instead.

    Args:
        sources: what the machine has.
        old: code name of the machine's release.
        new: code name of the wanted release.
        keyring: the distribution's whole keyring; the machine's own stanza may name one release's keys only.
    """
    moved = []
    for source in sources:
        suites = tuple(
            re.sub(rf"^{old}\b", new, suite)
            for suite in source.suites
            if suite in (old, f"{old}-updates", f"{old}-security")
        )
        if suites:
            moved.append(Source(uris=source.uris, suites=suites, components="main", signed_by=keyring))
    return moved


def distribution_keyring() -> str:
    """Path of the distribution's keyring; empty when there is none, and apt then uses its trusted folder."""
    folder = Path("/usr/share/keyrings")
    return next((str(folder / name) for name in _KEYRINGS if (folder / name).is_file()), "")


class Apt:
    """apt over a folder of its own."""

    def __init__(self, folder: Path, sources: Sequence[Source]) -> None:
        """Lay out the folder.

        Args:
            folder: made when missing; removed by the caller.
            sources: where packages come from.
        """
        self.folder = folder.resolve()
        for name in ("state/lists/partial", "cache/archives/partial", "parts", "debs"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        (self.folder / "status").touch()
        (self.folder / "parts" / "archive.sources").write_text("\n".join(s.stanza() for s in sources), "utf-8")
        (self.folder / "empty").mkdir(exist_ok=True)

    def _options(self) -> list[str]:
        options = {
            "Dir::State": self.folder / "state",
            "Dir::State::status": self.folder / "status",
            "Dir::Cache": self.folder / "cache",
            "Dir::Etc::sourcelist": "/dev/null",
            "Dir::Etc::sourceparts": self.folder / "parts",
            "Dir::Etc::preferences": "/dev/null",
            "Dir::Etc::preferencesparts": self.folder / "empty",
            "APT::Sandbox::User": "root",
            "APT::Install-Recommends": "false",
            "Acquire::Languages": "none",
            "Acquire::Retries": "3",
        }
        return [part for name, value in options.items() for part in ("-o", f"{name}={value}")]

    def _run(self, *words: str, timeout_s: float) -> str:
        command = ["apt-get", *self._options(), *words]
        try:
            done = subprocess.run(
                command, cwd=self.folder / "debs", capture_output=True, text=True, timeout=timeout_s, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise DeployError(f"apt-get {words[0]} did not run: {error}") from error
        if done.returncode != 0:
            raise DeployError(f"apt-get {words[0]} failed; check the network and the sources:\n{done.stderr[-2000:]}")
        return done.stdout

    def update(self) -> None:
        """Fetch the package lists."""
        self._run("update", "-qq", timeout_s=UPDATE_TIMEOUT_S)

    def closure(self, *packages: str) -> list[str]:
        """Names of the packages and of everything they depend on."""
        listing = self._run("install", "--print-uris", "-qq", "-y", *packages, timeout_s=60)
        return sorted({line.split("' ")[1].split("_")[0] for line in listing.splitlines() if line.startswith("'")})

    def download(self, packages: Sequence[str]) -> list[Path]:
        """Download `packages`, verified against the signed lists; their files."""
        self._run("download", "-qq", *packages, timeout_s=DOWNLOAD_TIMEOUT_S)
        return sorted((self.folder / "debs").glob("*.deb"))
