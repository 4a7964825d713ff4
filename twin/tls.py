"""TLS as every connection of the product uses it: at least 1.2, the server verified, errors in words that help."""

from __future__ import annotations

import re
import ssl
from pathlib import Path

from twin.errors import ConfigError

__all__ = ["client_context", "why"]

# What OpenSSL or a broker says -> what it means and what to do. First match counts.
_MEANINGS = (
    (r"certificate has expired", "the server's certificate has expired: renew it there (or set this machine's clock)"),
    (r"not yet valid", "the server's certificate is not valid yet: set the clocks"),
    (
        r"hostname mismatch|ip address mismatch|doesn't match|not valid for",
        "the server's certificate is for another name: connect by a name that it holds, or issue it for this one",
    ),
    (
        r"unable to get (?:local )?issuer|self.signed certificate|unknown_ca_local|unable to verify",
        "the server's certificate is from an authority that is not trusted: name that authority in {ca}",
    ),
    (
        r"alert certificate required|alert handshake failure|peer did not return a certificate",
        "the server wants a client certificate: set {cert} and {key}",
    ),
    (
        r"alert (?:unknown ca|bad certificate|certificate (?:expired|revoked|unknown)|access denied)|decrypt error",
        "the server does not accept our certificate: {cert} must be valid and from an authority that the server trusts",
    ),
    (
        r"wrong version number|record layer failure|packet length too long|http request",
        "the server does not speak TLS on this port: use its TLS port, or a url without TLS",
    ),
    (
        r"unsupported protocol|alert protocol version|no protocols available|tlsv1 alert",
        "the server has no TLS 1.2 or newer: upgrade it",
    ),
    (
        r"operation timed out|no answer|connection reset",
        "it hung up, or does not answer as one: a port with TLS needs {tls} in {url} and may want {cert} and {key}; "
        "a port without TLS needs {plain}",
    ),
    (
        r"bad user name or password|not authori[sz]ed|code:13[45]|unauthori[sz]ed",
        "the server refuses this user: check the name in {url} and the word in {password}",
    ),
)
_SETTINGS = {
    "ca": "mqtt.ca_file",
    "cert": "mqtt.cert_file",
    "key": "mqtt.key_file",
    "url": "mqtt.url",
    "password": "mqtt.password_file",
    "tls": "mqtts://",
    "plain": "mqtt://",
}
_NOISE = re.compile(r"\s*\(_ssl\.c:\d+\)")


def client_context(
    ca_file: str = "", cert_file: str = "", key_file: str = "", *, section: str = "mqtt"
) -> ssl.SSLContext:
    """A client's context: the system's authorities or those of `ca_file`, and our own certificate if one is named.

    Raises ConfigError naming the setting `<section>.ca_file`, `.cert_file` or `.key_file`.
    """
    try:
        context = ssl.create_default_context(cafile=ca_file or None)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(_problem(f"{section}.ca_file", ca_file, error, "a PEM file with certificates")) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if key_file and not cert_file:
        raise ConfigError(f"{section}.key_file is set without {section}.cert_file; name both")
    if cert_file:
        _load_own(context, cert_file, key_file, section)
    return context


def _load_own(context: ssl.SSLContext, cert_file: str, key_file: str, section: str) -> None:
    for name, path in (("cert_file", cert_file), ("key_file", key_file)):
        if path:
            try:
                Path(path).read_bytes()
            except OSError as error:
                raise ConfigError(_problem(f"{section}.{name}", path, error, "")) from error

    def encrypted() -> str:
        # Without this OpenSSL would ask on the terminal, and a service would wait for ever.
        raise ConfigError(
            f"{section}.key_file = {key_file or cert_file!r} is encrypted; give a key without a passphrase"
        )

    try:
        context.load_cert_chain(cert_file, key_file or None, password=encrypted)
    except (OSError, ssl.SSLError) as error:
        wanted = f"a PEM certificate and, in {section}.key_file, its key"
        raise ConfigError(_problem(f"{section}.cert_file", cert_file, error, wanted)) from error


def _problem(setting: str, path: str, error: Exception, wanted: str) -> str:
    said = (isinstance(error, OSError) and not isinstance(error, ssl.SSLError) and error.strerror) or ""
    if "KEY_VALUES_MISMATCH" in str(error):
        return f"{setting} = {path!r} and the key do not belong together"
    return f"{setting} = {path!r} cannot be used: {said or f'it must be {wanted}'}"


def why(error: BaseException | str, section: str = "mqtt") -> str:
    """An error of a connection in words: what was said, and, if it is known, what to do."""
    said = _NOISE.sub("", str(error)) or (type(error).__name__ if isinstance(error, BaseException) else "")
    names = {key: name.replace("mqtt.", f"{section}.") for key, name in _SETTINGS.items()}
    if section == "sink":
        names |= {"password": "sink.token_file", "tls": "influxs://", "plain": "influx://"}
    for words, meaning in _MEANINGS:
        if re.search(words, said, re.I):
            return f"{said}: {meaning.format(**names)}"
    return said
