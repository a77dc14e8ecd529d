"""Loader `ssh`: a program is copied to a Linux board, with the system's ssh and scp.

The earlier program is ended, the new one copied beside it, its SHA-256 there compared
with the one here, and only then it takes the other's place, at once. Whoever opens
the line starts it.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from hil.desk.loaders.base import Loader, run_tool
from hil.device.ssh import Remote
from hil.errors import FlashError


class SshLoader(Loader):
    """To where `unit.port` leads, ssh://[user@]host[:port][/path]."""

    def program(self, image: Path) -> None:
        """Copy, verify, put in place."""
        remote = self._remote
        folder = str(Path(remote.path).parent)
        self._there(f"{remote.stopping()}mkdir -p {folder}")
        new = f"{remote.path}.new"
        try:
            run_tool(remote.scp(str(image), new), "programmer")
        except FlashError:  # a board without an SFTP server, such as one with dropbear
            run_tool(remote.scp(str(image), new, "-O"), "programmer")
        digest = hashlib.sha256(image.read_bytes()).hexdigest()
        self._there(
            f"found=$(sha256sum <{new}) || exit 1\n"
            f'case "$found" in {digest}*) ;; *)\n'
            f'  echo "what arrived has SHA-256 $found, expected {digest}"; rm -f {new}; exit 1\n'
            "esac\n"
            f"chmod 755 {new} && mv -f {new} {remote.path}"
        )

    def reset(self) -> None:
        """End the program; the next to open the line starts it anew."""
        self._there(f"{self._remote.stopping()}true")

    def version(self) -> str:
        """What ssh says of itself, in a line."""
        return run_tool(["ssh", "-V"], "programmer").splitlines()[0]

    @property
    def _remote(self) -> Remote:
        return Remote.of(self.unit.url)

    def _there(self, script: str) -> str:
        """What the board said when it did this. Raises `FlashError`."""
        return run_tool(self._remote.ssh(script), "programmer")
