"""The private authority stays; the server's certificate is renewed when it must be."""

import ssl
from pathlib import Path

import pytest
from cryptography import x509

from xunlu_deploy import tls


def names(file: Path) -> list[str]:
    certificate = x509.load_pem_x509_certificate(file.read_bytes())
    value = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return [str(name.value) for name in value]


def test_the_certificate_names_this_machine_and_chains_to_the_authority(tmp_path: Path) -> None:
    made = tls.ensure_certificate(tmp_path, ("xunlu.example",))
    assert {"localhost", "127.0.0.1", "xunlu.example"} <= set(names(made.certificate))
    context = ssl.create_default_context(cafile=str(made.authority))
    context.load_cert_chain(made.certificate, made.key)
    authority = x509.load_pem_x509_certificate(made.authority.read_bytes())
    x509.load_pem_x509_certificate(made.certificate.read_bytes()).verify_directly_issued_by(authority)


def test_keys_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    made = tls.ensure_certificate(tmp_path / "tls")
    assert {path.stat().st_mode & 0o077 for path in (made.key, tmp_path / "tls" / "ca.key", tmp_path / "tls")} == {0}


def test_a_second_start_changes_nothing(tmp_path: Path) -> None:
    made = tls.ensure_certificate(tmp_path)
    before = [path.read_bytes() for path in (made.authority, made.certificate, made.key)]
    tls.ensure_certificate(tmp_path)
    assert [path.read_bytes() for path in (made.authority, made.certificate, made.key)] == before


def test_a_new_name_renews_the_certificate_and_keeps_the_authority(tmp_path: Path) -> None:
    made = tls.ensure_certificate(tmp_path)
    authority, before = made.authority.read_bytes(), made.certificate.read_bytes()
    tls.ensure_certificate(tmp_path, ("other.example",))
    assert made.authority.read_bytes() == authority
    assert made.certificate.read_bytes() != before


def test_a_certificate_near_its_end_is_renewed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tls, "SERVER_DAYS", tls.RENEW_DAYS - 1)
    made = tls.ensure_certificate(tmp_path)
    before = made.certificate.read_bytes()
    monkeypatch.undo()
    tls.ensure_certificate(tmp_path)
    assert made.certificate.read_bytes() != before
