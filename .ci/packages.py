"""Installs the Python packages of requirements.lock, and says how far it is.

    python .ci/packages.py install [--wheelhouse DIR]
    python .ci/packages.py fetch --wheelhouse DIR

`install` puts them, and the project as it stands in its folder, into the
environment whose python runs this; `fetch` only gathers the files, for machines
without a network. Every file must have a hash that the lock names.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
from collections import deque
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "requirements.lock"
BUILDER = "setuptools"
"""Builds the packages that come as source, so it is there before them."""
EVERY = 5.0
"""Seconds between two lines of progress."""
KEPT = 15
"""Last lines of pip's that a failure shows."""


def pinned(lock: str) -> dict[str, str]:
    """The entries that are for this Python and system: text by name."""
    from pip._vendor.packaging.requirements import Requirement

    found = {}
    for entry in re.split(r"\n(?=[A-Za-z0-9])", lock):
        first = entry.split("\\", 1)[0].strip()
        if first and not first.startswith("#"):
            requirement = Requirement(first)
            if requirement.marker is None or requirement.marker.evaluate():
                found[requirement.name] = entry
    return found


class Progress:
    """Lines that say how many of `total` packages pip has come to."""

    def __init__(self, total: int) -> None:
        self.total, self.begun, self.name = total, 0, ""
        self.unpacking = False
        self._before, self._started = set(_there()), time.monotonic()

    def heard(self, line: str) -> None:
        """Take in a line of pip's."""
        if found := re.match(r"Collecting (\S+)", line):
            self.begun, self.name = self.begun + 1, found[1].replace("==", " ")
        elif line.startswith("Installing collected packages"):
            self.unpacking = True

    def line(self) -> str:
        """How far it is."""
        taken = f"{time.monotonic() - self._started:3.0f} s"
        if self.unpacking:
            new = len(set(_there()) - self._before)
            return f"{taken}  unpacked {new} of {self.total}"
        fetched = max(0, self.begun - 1)
        return f"{taken}  fetched {fetched} of {self.total}; next {self.name}"


def _there() -> list[str]:
    site = Path(sysconfig.get_paths()["purelib"])
    return [path.name for path in site.glob("*.dist-info")]


def say(text: str) -> None:
    """One line of progress for whoever sets up."""
    print(f"setup    {text}", flush=True)


def pip(*words: str, progress: Progress | None = None) -> None:
    """Run pip; its own words are shown when it fails, which ends us."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *words]
    process = subprocess.Popen(
        command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    last: deque[str] = deque(maxlen=KEPT)

    def listen() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            last.append(line)
            if progress is not None:
                progress.heard(line)

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    while listener.is_alive():
        listener.join(EVERY)
        if progress is not None and listener.is_alive():
            say(progress.line())
    if process.wait() != 0:
        say(f"pip ended with exit code {process.returncode}; its last lines:")
        print("".join(last), end="")
        say("without a network: `make wheelhouse` where there is one, then here")
        say("`make setup WHEELHOUSE=DIR` with its folder")
        sys.exit(1)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("install", "fetch"))
    parser.add_argument("--wheelhouse", metavar="DIR")
    given = parser.parse_args()
    started = time.monotonic()
    entries = pinned(LOCK.read_text(encoding="utf-8"))
    python = ".".join(map(str, sys.version_info[:3]))
    exact = ("--no-deps", "--require-hashes", "--no-build-isolation")
    with tempfile.TemporaryDirectory() as folder:
        builder = Path(folder, "builder.txt")
        builder.write_text(entries[BUILDER], encoding="utf-8")
        if given.what == "fetch":
            house = str(Path(given.wheelhouse or "wheelhouse").absolute())
            say(f"{len(entries)} packages for Python {python}, about 260 MB")
            pip("install", *exact, "-r", str(builder))
            words = ("download", *exact, "--dest", house, "-r", str(LOCK))
            pip(*words, progress=Progress(len(entries)))
            say(
                f"{house} is complete: `make setup WHEELHOUSE={house}` needs no network"
            )
            return
        source = ()
        if given.wheelhouse:
            house = str(Path(given.wheelhouse).absolute())
            source = ("--no-index", "--find-links", house)
        where = (
            f"of {given.wheelhouse}" if given.wheelhouse else "about 260 MB to fetch"
        )
        say(f"{len(entries)} packages for Python {python}, by their hashes, {where}")
        pip("install", *exact, *source, "-r", str(builder))
        words = ("install", *exact, *source, "-r", str(LOCK))
        pip(*words, progress=Progress(len(entries)))
    say("hil itself, as it stands in this folder")
    pip("install", "--no-deps", "--no-build-isolation", "--no-index", "--editable", ".")
    pip("check")
    say(f"ready after {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
