"""An ssh daemon of this user's, on a loopback port, with keys of its own."""

from __future__ import annotations

import getpass
import os
import socket
import subprocess
from pathlib import Path

SERVER = """
ListenAddress 127.0.0.1
Port {port}
HostKey {folder}/host
PidFile none
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
        for name in ("host", "user"):
            self.new_key(name)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        subsystem = "Subsystem sftp internal-sftp" if sftp else ""
        given = folder / "sshd_config"
        given.write_text(SERVER.format(port=self.port, folder=folder, sftp=subsystem))
        self.config.write_text(
            CLIENT.format(port=self.port, folder=folder, user=getpass.getuser())
        )
        self.know((folder / "host.pub").read_text())
        if os.geteuid() == 0:
            os.makedirs("/run/sshd", mode=0o755, exist_ok=True)  # it insists
        self._process = subprocess.Popen(
            [sshd, "-D", "-e", "-f", given], stderr=subprocess.PIPE, text=True
        )
        assert self._process.stderr is not None
        self.said = self._process.stderr.readline()
        assert "Server listening" in self.said, self.said + self._process.stderr.read()

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
        """The sessions that are open go on."""
        self._process.terminate()
        self._process.communicate()
