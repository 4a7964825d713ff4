"""A certificate authority for one test, and the files that brokers and clients read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme

from tests.servers import HOST

__all__ = ["Authority", "tls_listener"]


class Authority:
    """Issues certificates into a folder: `name.crt` (with its chain) and `name.key` (mode 0600)."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._ca = trustme.CA()
        self.file = folder / "ca.crt"
        self._ca.cert_pem.write_to_path(str(self.file))

    def issue(self, name: str, *identities: str, days: int = 1) -> tuple[str, str]:
        """Paths of certificate and key for host names or addresses; `days` < 0: it has expired."""
        now = datetime.now(UTC)
        made = self._ca.issue_cert(
            *(identities or (HOST,)),
            common_name=name,
            not_before=now - timedelta(days=30),
            not_after=now + timedelta(days=days),
        )
        certificate, key = self._folder / f"{name}.crt", self._folder / f"{name}.key"
        certificate.write_bytes(b"".join(blob.bytes() for blob in made.cert_chain_pems))
        key.write_bytes(made.private_key_pem.bytes())
        key.chmod(0o600)
        return str(certificate), str(key)


def tls_listener(authority: Authority, certificate: tuple[str, str], *, client_certificates: bool = False) -> str:
    """Lines for mosquitto's file: TLS on the listener above them."""
    wanted = "require_certificate true\nuse_identity_as_username true\n" if client_certificates else ""
    return f"cafile {authority.file}\ncertfile {certificate[0]}\nkeyfile {certificate[1]}\n{wanted}"
