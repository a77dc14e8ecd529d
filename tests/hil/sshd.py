"""An ssh daemon of this user's, on a loopback port, with keys of its own.

The port is ours from the start, and each connection gets a daemon (sshd -i): nobody
else can have taken the port before it listens.
"""

from __future__ import annotations

import getpass
import os
import socket
import subprocess
import threading
from contextlib import suppress
from pathlib import Path

SERVER = """
HostKey {folder}/host
AuthorizedKeysFile {folder}/user.pub
StrictModes no
UsePAM no
KexAlgorithms curve25519-sha256
PasswordAuthentication no
KbdInteractiveAuthentication no
{sftp}
"""
CLIENT = """
Host board
    HostName 127.0.0.1
    Port {port}
    User {user}
    IdentityFile {folder}/user
    IdentitiesOnly yes
    UserKnownHostsFile {folder}/known
    GlobalKnownHostsFile none
    StrictHostKeyChecking yes
"""


class Daemon:
    """Serves until it is closed; `config` is what ssh must be told to reach it as
    `board`. Without `sftp` files are copied by scp's old protocol alone."""

    def __init__(self, sshd: str, folder: Path, *, sftp: bool) -> None:
        self.folder, self.config = folder, folder / "config"
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        for name in ("host", "user"):
            self.new_key(name)
        given = folder / "sshd_config"
        subsystem = "Subsystem sftp internal-sftp" if sftp else ""
        given.write_text(SERVER.format(folder=folder, sftp=subsystem))
        self.config.write_text(
            CLIENT.format(port=self.port, folder=folder, user=getpass.getuser())
        )
        self.know((folder / "host.pub").read_text())
        if os.geteuid() == 0:
            os.makedirs("/run/sshd", mode=0o755, exist_ok=True)  # it insists
        self._command = [sshd, "-i", "-f", str(given)]
        self._serving: list[subprocess.Popen[bytes]] = []
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def new_key(self, name: str) -> None:
        """A key pair of this name."""
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.folder / name],
            check=True, stdin=subprocess.DEVNULL,
        )  # fmt: skip

    def know(self, key: str) -> None:
        """The host key that the client expects."""
        (self.folder / "known").write_text(f"[127.0.0.1]:{self.port} {key}")

    def close(self) -> None:
        """No more connections; those that are left are cut."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()
        for child in self._serving:
            child.terminate()
            child.wait()

    def _serve(self) -> None:
        with suppress(OSError):  # the listener was shut down
            while True:
                connection = self._listener.accept()[0]
                with connection:
                    ends = {"stdin": connection.fileno(), "stdout": connection.fileno()}
                    self._serving.append(subprocess.Popen(self._command, **ends))
