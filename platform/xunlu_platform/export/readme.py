"""The page of paper that lies in the box: how to look at an export, and how to check it without our programs."""

from typing import Final

from xunlu_platform.export.key import PublicKey

_TEXT: Final = """巡录 · 案事件导出包
==================

打开 index.html 即可回放，任何现代浏览器均可，无需联网，无需安装软件。请先解压整个 ZIP。
data/  原始定位（WGS-84）：GPX、KML、GeoJSON、CSV；*-cleaning.csv 列出存疑的定位及原因。
media/ 录像（MP4）与对讲（Ogg Opus），与平台登记时的文件相同，未经转码。
manifest.json 列出每个文件的 SHA-256、来源、缺失与断点；manifest.sig 是平台对它的 Ed25519 签名。

核验（OpenSSL 3）：
  openssl pkeyutl -verify -pubin -inkey public-key.pem -rawin -in manifest.json -sigfile manifest.sig
  sha256sum --check SHA256SUMS
公钥指纹必须与签发单位公布的一致：
  openssl pkey -pubin -in public-key.pem -outform DER | openssl dgst -sha256
  {fingerprint}


Xunlu · exported incident
=========================

Open index.html to play it back: any current browser, no network, nothing to install. Unpack the whole ZIP first.
data/  positions as they were measured (WGS-84): GPX, KML, GeoJSON, CSV; *-cleaning.csv lists doubted fixes and why.
media/ recordings (MP4) and speech (Ogg Opus), the very files that the platform registered, never transcoded.
manifest.json lists the SHA-256 of every file, where it came from, what is missing, and the gaps; manifest.sig is the
platform's Ed25519 signature of it.

To check it (OpenSSL 3):
  openssl pkeyutl -verify -pubin -inkey public-key.pem -rawin -in manifest.json -sigfile manifest.sig
  sha256sum --check SHA256SUMS
SHA256SUMS is itself named in manifest.json. The fingerprint of the key must be the one that the bureau publishes:
  openssl pkey -pubin -in public-key.pem -outform DER | openssl dgst -sha256
  {fingerprint}
"""


def readme_of(key: PublicKey) -> str:
    """The text with the fingerprint of the key."""
    return _TEXT.format(fingerprint=key.fingerprint)
