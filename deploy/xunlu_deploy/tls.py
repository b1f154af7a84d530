"""A private certificate authority and this server's certificate, for networks where nobody else issues one.

Recorders trust the authority's file; it stays the same for years, while the server's certificate is renewed.
"""

import contextlib
import datetime as dt
import ipaddress
import socket
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from xunlu_deploy.privilege import private_folder
from xunlu_deploy.state import write_private

AUTHORITY_DAYS = 3650
SERVER_DAYS = 397
RENEW_DAYS = 30
_CLOCK_SKEW = dt.timedelta(days=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Certificate:
    """Files of a server certificate."""

    authority: Path
    """What clients trust."""
    certificate: Path
    key: Path


def ensure_certificate(folder: Path, names: tuple[str, ...] = ()) -> Certificate:
    """The server's certificate; made when missing, renewed near its end or when the machine has new addresses.

    Args:
        folder: keeps authority and certificate.
        names: DNS names and addresses beside `localhost`, the host's name and its own addresses.
    """
    private_folder(folder)
    files = Certificate(authority=folder / "ca.pem", certificate=folder / "server.pem", key=folder / "server.key")
    authority_key, authority = _authority(files.authority, folder / "ca.key")
    wanted = _subject_names(names)
    if not _still_good(files.certificate, files.key, wanted, authority):
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _issue_server(key.public_key(), wanted, authority, authority_key)
        write_private(files.key, _pem(key))
        files.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return files


def _authority(file: Path, key_file: Path) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    if file.exists() and key_file.exists():
        key = serialization.load_pem_private_key(key_file.read_bytes(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey), "we make no other kind"
        return key, x509.load_pem_x509_certificate(file.read_bytes())
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name(
        [x509.NameAttribute(NameOID.COMMON_NAME, f"Xunlu private authority of {socket.gethostname()[:32]}")]
    )
    usage = x509.KeyUsage(
        digital_signature=False, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    certificate = (
        _builder(name, name, key.public_key(), AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    write_private(key_file, _pem(key))
    file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return key, certificate


def _issue_server(
    key: ec.EllipticCurvePublicKey,
    names: list[x509.GeneralName],
    authority: x509.Certificate,
    authority_key: ec.EllipticCurvePrivateKey,
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Xunlu server")])
    return (
        _builder(subject, authority.subject, key, SERVER_DAYS)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, days: int
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + dt.timedelta(days=days))
    )


def _still_good(file: Path, key: Path, names: list[x509.GeneralName], authority: x509.Certificate) -> bool:
    if not (file.exists() and key.exists()):
        return False
    certificate = x509.load_pem_x509_certificate(file.read_bytes())
    remaining = certificate.not_valid_after_utc - dt.datetime.now(dt.UTC)
    present = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return (
        remaining > dt.timedelta(days=RENEW_DAYS)
        and certificate.issuer == authority.subject
        and set(names) <= set(present)
    )


def _subject_names(extra: tuple[str, ...]) -> list[x509.GeneralName]:
    hosts = {"localhost", socket.gethostname(), *extra}
    addresses = {"127.0.0.1", "::1", *own_addresses()}
    names: list[x509.GeneralName] = []
    for name in sorted(hosts | addresses):
        try:
            names.append(x509.IPAddress(ipaddress.ip_address(name)))
        except ValueError:
            names.append(x509.DNSName(name))
    return names


def own_addresses() -> set[str]:
    """Addresses that the host's name resolves to, and the one that routes outward; no packet is sent."""
    found = set()
    with contextlib.suppress(OSError):
        found |= {str(entry[4][0]).split("%")[0] for entry in socket.getaddrinfo(socket.gethostname(), None)}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, contextlib.suppress(OSError):
        probe.connect(("192.0.2.1", 9))
        found.add(probe.getsockname()[0])
    return found


def _pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
