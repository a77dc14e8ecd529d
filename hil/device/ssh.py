"""A Linux board as the system's own ssh reaches it.

Its port is a URL, `ssh://[user@]host[:port][/path]`: the host as ssh knows it, and
where its image lies there (from the home folder; `//path` from the root). Beside the
image lie its flash, and the number of the process that runs it.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, urlencode

from hil.errors import UsageError

SCHEME = "ssh://"
IMAGE = "hil-image"
"""Where the image lies unless the URL says otherwise."""
PLACE = "{image}"
"""What stands for the image, with its arguments, in how it is run."""
OPTIONS = (
    "-o", "BatchMode=yes", "-o", "ConnectTimeout=10",
    "-o", "ServerAliveInterval=5", "-o", "ServerAliveCountMax=3",
)  # fmt: skip
"""It never asks a question, and notices a host that is gone."""
STARTED = b"hil: the line begins here\n"
"""Comes before the first byte of the program's; a login shell may talk before it."""
NO_IMAGE = 66
"""Exit code where there is nothing to start; EX_NOINPUT of sysexits.h."""

_WORD = r"[^/?#@\[\]:\s-][^/?#@\[\]:\s]*"  # none that could be taken for an option
_HOST = rf"(?:{_WORD}@)?(?:{_WORD}|\[[0-9A-Fa-f:.%]+\])"
_URL = re.compile(rf"({_HOST})(?::(\d+))?(?:/([\w./+-]*))?(?:\?(.*))?", re.ASCII)


def is_ssh(port: str) -> bool:
    """Whether a port is of this kind."""
    return port.startswith(SCHEME)


def with_settings(port: str, run: str | None, config: str | None) -> str:
    """The URL of `port` that also says how the image is run there, and which file
    configures ssh; both stand in its query."""
    given = {"run": run, "config": config}
    settings = {name: value for name, value in given.items() if value is not None}
    if not settings:
        return port
    # what people read stays readable; what parts a query is quoted
    query = urlencode(settings, safe="{}/:,=~", quote_via=quote).replace("%20", "+")
    return f"{port}?{query}"


def shown(url: str) -> str:
    """The URL of any line as people want to read it: without such settings."""
    return url.partition("?")[0] if is_ssh(url) else url


@dataclass(frozen=True)
class Remote:
    """A board and the image on it: `host` is what ssh is told, `run` the simple
    command that starts `{image}`, `config` the file for `ssh -F`."""

    host: str
    port: str | None = None
    path: str = IMAGE
    run: str = PLACE
    config: str | None = None

    @classmethod
    def of(cls, url: str) -> Remote:
        """What a URL names. Raises `UsageError`."""
        found = _URL.fullmatch(url[len(SCHEME) :])
        if found is None:
            raise UsageError(
                f"port {url!r} is no board: expected ssh://[user@]host[:port][/path]",
                "a path has letters, digits and . _ + - /",
            )
        host, port, path, query = found.groups()
        settings = dict(parse_qsl(query or "", keep_blank_values=True))
        if set(settings) - {"run", "config"} or not all(settings.values()):
            raise UsageError(
                f"port {url!r} has settings {query!r}: expected run=COMMAND or config=FILE"
            )
        if PLACE not in settings.get("run", PLACE):
            raise UsageError(
                f"run is {settings['run']!r}: expected a command with {PLACE} in it"
            )
        return cls(
            host.replace("[", "").replace("]", ""), port, path or IMAGE, **settings
        )

    @property
    def image(self) -> str:
        """The image as a command there: a bare name would be looked for in PATH."""
        return self.path if self.path.startswith("/") else f"./{self.path}"

    def ssh(self, script: str) -> list[str]:
        """The command that has a POSIX shell there do this, whatever shell its user
        has."""
        number = ["-p", self.port] if self.port else []
        order = f"sh -c {shlex.quote(script)}"
        return ["ssh", "-T", *self._options(), *number, "--", self.host, order]

    def scp(self, file: str, to: str, *flags: str) -> list[str]:
        """The command that copies a file there."""
        number = ["-P", self.port] if self.port else []
        host = self.host
        if ":" in host:
            user, at, address = host.rpartition("@")
            host = f"{user}{at}[{address}]"
        return [
            "scp",
            "-q",
            *flags,
            *self._options(),
            *number,
            "--",
            file,
            f"{host}:{to}",
        ]

    @property
    def trial(self) -> str:
        """A command for people, that shows whether ssh gets there by itself."""
        config = ["-F", self.config] if self.config else []
        number = ["-p", self.port] if self.port else []
        words = ["ssh", "-o", "BatchMode=yes", *config, *number, self.host, "true"]
        return shlex.join(words)

    def _options(self) -> Sequence[str]:
        return (*(("-F", self.config) if self.config else ()), *OPTIONS)

    def stopping(self) -> str:
        """Shell: end the program that was started last, if it is still the one."""
        return (
            f"old=$(cat {self.path}.pid 2>/dev/null) && "
            "tr '\\0' ' ' 2>/dev/null </proc/$old/cmdline | "
            f"grep -qF -- '{self.image} --stdio' && kill $old 2>/dev/null\n"
        )

    def starting(self) -> str:
        """Shell: start the program anew, with this connection as its line. WHY in the
        background: what is waited for tells the signal that ended it."""
        arguments = f"{self.image} --stdio --flash {self.path}.flash"
        return (
            f"if ! [ -x {self.image} ]; then exit {NO_IMAGE}; fi\n"
            f"{self.stopping()}"
            f"echo '{STARTED.decode().strip()}'\n"
            "exec 3<&0\n"
            f"{self.run.replace(PLACE, arguments)} <&3 3<&- &\n"
            f"echo $! >{self.path}.pid\n"
            "wait $!\n"
        )
