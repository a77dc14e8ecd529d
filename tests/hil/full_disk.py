"""A run on a disk that fills: by a small tmpfs, so as root on Linux alone.

    python tests/hil/full_disk.py [moments]

runs the smallest run on disks of rising size, prints what came of each, and fails
unless each ended in one sentence (docs/reliability.md).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

RUN = (
    "run", "--network", "64-8-10", "--target", "host", "--steps", "300", "--test", "0",
)  # fmt: skip
FULL = 9
LIMIT = 120.0
PLENTY = 1 << 26
LEFT = ("*.part", "building-*", "hil-*", "*.new", "*.tmp")
"""Names of what must not be left behind."""


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[Path]:
    """A disk of `size` bytes at `folder`. Raises `PermissionError` for who may not
    make one."""
    folder.mkdir(exist_ok=True)
    made = ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(folder)]
    if os.name != "posix" or os.geteuid() != 0:
        raise PermissionError("only root may mount a disk of limited size")
    if subprocess.run(made, capture_output=True).returncode:
        raise PermissionError("this machine lets nobody mount a disk of limited size")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@dataclass(frozen=True)
class Ended:
    """What a run on a disk of `size` bytes, of which it `used` some, has left."""

    size: int
    used: int
    code: int
    said: str
    record: dict[str, object] | None
    left: tuple[str, ...]

    @property
    def fault(self) -> str:
        """What is wrong with how it ended, "" for nothing."""
        sentences = [line for line in self.said.splitlines() if line[:4] == "hil:"]
        if self.code not in (0, FULL):
            return f"exit code {self.code}"
        if "Traceback" in self.said or "Exception ignored" in self.said:
            return "a traceback"
        if len(sentences) != (self.code == FULL):
            return f"{len(sentences)} sentences"
        if self.left:
            return "left behind: " + ", ".join(self.left)
        if self.record is not None and self.record["exit_code"] != self.code:
            return f"the record says {self.record['exit_code']}"
        if self.record is None and self.code == 0:
            return "passed without a record"
        return ""


def run(disk: Path, size: int, cache: Path | None = None) -> Ended:
    """A run whose folder, temporary files and cache (unless another is given) are on
    a disk of this size."""
    with small_disk(disk, size):
        temp = disk / "t"
        try:
            temp.mkdir()
        except OSError:
            temp = disk
        done = subprocess.run(
            [sys.executable, "-m", "hil", *RUN, "--out", str(disk / "runs")],
            env={**os.environ, "HIL_CACHE": str(cache or disk), "TMPDIR": str(temp)},
            capture_output=True, text=True, timeout=LIMIT,
            cwd=Path(__file__).parents[2],
        )  # fmt: skip
        records = list(disk.glob("runs/*/run.json"))
        record = json.loads(records[0].read_text()) if records else None
        left = {p.name for name in LEFT for p in disk.rglob(name)}
        there = os.statvfs(disk)
        used = (there.f_blocks - there.f_bfree) * there.f_frsize
    return Ended(
        size,
        used,
        done.returncode,
        done.stdout + done.stderr,
        record,
        tuple(sorted(left)),
    )


def main(moments: int) -> int:
    """All moments: half of them with a cache that is elsewhere and warm."""
    faults = 0
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        disk, warm = Path(folder) / "disk", Path(folder) / "cache"
        first = run(disk, PLENTY, warm)
        cold = run(disk, PLENTY)
        assert first.code == cold.code == 0, first.said + cold.said
        half = moments // 2
        each: list[tuple[int, Path | None]] = [
            (4096 + most * i // half, cache)
            for most, cache in ((cold.used, None), (first.used, warm))
            for i in range(half)
        ]
        print(
            "| disk of bytes | cache | exit | record | sentence |\n|--:|---|--:|---|---|"
        )
        for size, cache in each:
            ended = run(disk, size, cache)
            sentence = next((x for x in ended.said.splitlines() if x[:4] == "hil:"), "")
            fault = f" **{ended.fault}**" if ended.fault else ""
            kept = "yes" if ended.record else "no"
            where = "elsewhere" if cache else "on it"
            said = sentence.replace(folder, "")[:150]
            print(f"| {size:,} | {where} | {ended.code} | {kept} | {said}{fault} |")
            faults += bool(ended.fault)
    print(f"\n{moments} moments, {faults} of them wrong")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 50))
