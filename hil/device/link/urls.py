"""What a port's name must look like, and what is said when it does not open."""

from __future__ import annotations

import difflib
import errno
import socket
import termios
from urllib.parse import urlsplit

from hil.errors import LinkError, PortDenied, PortMissing, UsageError

NETWORK = ("socket", "rfc2217")
SCHEMES = (*NETWORK, "ssh")
EXPECTED = "a device such as /dev/ttyUSB0, or socket://HOST:PORT, rfc2217://HOST:PORT, ssh://HOST"
DENIED = (errno.EACCES, errno.EPERM)
ABSENT = (errno.ENOENT, errno.ENODEV, errno.ENXIO, errno.ENOTDIR)
UNREACHED = (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN)


def require(url: str) -> None:
    """Raise `UsageError` for a text that names no port, whatever is plugged in."""
    scheme, found, _ = url.partition("://")
    if not found:
        return
    if scheme not in SCHEMES:
        close = difflib.get_close_matches(scheme.lower(), SCHEMES, 1, 0.5)
        hint = (f"did you mean {close[0]}://?",) if close else ()
        raise UsageError(
            f"port {url!r} begins with {scheme}://, which is none of ours: expected "
            f"{EXPECTED}",
            *hint,
        )
    if scheme in NETWORK:
        _require_address(url, scheme)


def _require_address(url: str, scheme: str) -> None:
    expected = f"expected {scheme}://HOST:PORT"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise UsageError(
            f"port {url!r} has no address, with a port number from 1 to 65535: {expected}"
        ) from None
    if not host:
        raise UsageError(f"port {url!r} names no host: {expected}")
    if not port:
        raise UsageError(f"port {url!r} has no port number: {expected}")


def not_opened(url: str, error: Exception) -> LinkError:
    """The sentence for a port that is well named and does not open."""
    below = error.__context__
    cause = below if isinstance(below, OSError) else error
    number = getattr(cause, "errno", None) or getattr(error, "errno", None)
    if isinstance(below, termios.error):
        number = below.args[0]
    if url.partition("://")[0] in NETWORK:
        return _not_reached(url, cause, number)
    if number in DENIED:
        return PortDenied(
            f"this user may not open port {url!r}",
            "on most Linux systems: `sudo usermod -aG dialout $USER`, then log in "
            "again; or install the board's udev rules",
        )
    if number in ABSENT:
        return PortMissing(
            f"there is no port {url!r}",
            "`hil doctor` lists the serial ports of this machine",
        )
    if number in (errno.ENOTTY, errno.EINVAL, errno.EISDIR):
        return LinkError(f"{url!r} is no serial port", "`hil doctor` lists them")
    return LinkError(f"port {url!r} does not open: {error}")


def _not_reached(url: str, cause: BaseException, number: int | None) -> LinkError:
    """The same of a port on a network."""
    parts = urlsplit(url)
    host, port = parts.hostname, parts.port
    if isinstance(cause, socket.gaierror):
        return PortMissing(
            f"port {url!r} is not reached: host {host!r} is not known",
            "an address, or a name that `getent hosts` finds, is expected",
        )
    if number == errno.ECONNREFUSED:
        return PortMissing(
            f"nobody listens on port {url!r}: {host} refuses a connection to {port}",
            "is the emulator, or the server of the serial port, running there?",
        )
    if isinstance(cause, TimeoutError) or number == errno.ETIMEDOUT:
        return PortMissing(
            f"port {url!r} is not reached: {host} gives no answer",
            "is the computer on, and does a firewall let this port through?",
        )
    if number in UNREACHED:
        return PortMissing(f"port {url!r} is not reached: there is no way to {host}")
    if parts.scheme == "rfc2217" and isinstance(cause, ValueError | OSError):
        return LinkError(
            f"what listens on {host}:{port} does not speak RFC 2217: it gives no answer "
            "to its options",
            f"a bare TCP line is socket://{host}:{port}",
        )
    return LinkError(f"port {url!r} does not open: {cause}")
