"""The fuzzing harnesses: built by clang with libFuzzer and its sanitizers from
the firmware's own sources, and what a run of one tells.

    HIL_FUZZ_RUNS      executions of all harnesses together (default: BRIEF)
    HIL_FUZZ_CORPUS    a folder that keeps what is found, else nothing is kept
"""

from __future__ import annotations

import os
import re
import shutil
import struct
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import settings

import targets
from codegen import protocol
from codegen.building import toolchain
from codegen.building.buildplan import BuildPlan
from codegen.building.compilers import ARITHMETIC, WARNINGS, Toolchain
from codegen.planning.plan import plan
from codegen.planning.planned import Plan
from codegen.planning.resident import Resident
from codegen.protocol import Layout, Message
from codegen.raster import Events
from codegen.rendering.render import FIRMWARE, render, render_protocol
from codegen.spec import Clip, Gate, Inputs, Network, RuleChoice, Spec
from targets import Flash
from tests.conftest import require

HERE = Path(__file__).parent
CORPUS = HERE / "corpus"
SANITIZERS = "address,undefined,float-cast-overflow"
CHECKS = (
    "-O2", "-g", f"-fsanitize=fuzzer-no-link,{SANITIZERS}", "-fno-sanitize-recover=all",
    # where LEAVE ends, longjmp does, which its fake stacks would have to follow
    "-fsanitize-address-use-after-return=never",
)  # fmt: skip
LIMIT = 3600.0
"""Seconds for one run of a harness, however long a campaign."""
SLOW = 5
"""Seconds for one input: the longest takes a thousandth of one."""
LONGEST = 400
"""Bytes of one input; dozens of messages."""

settings.register_profile("fuzz", max_examples=1_000)


def _resident(spec: Spec, count: int = 6) -> Resident:
    samples = bytes(
        i % 251 for i in range(count * spec.network.n_in * spec.inputs.size)
    )
    n_out = spec.network.n_out
    if spec.goal == "vector":
        targets = struct.pack(f"<{count * n_out}f", *range(count * n_out))
    else:
        targets = struct.pack(f"<{count}H", *(i % n_out for i in range(count)))
    return Resident(count, samples, targets, thin=4)


def _plans() -> dict[str, Plan]:
    """Small networks that differ in all the runtime or the line can notice."""
    flash = Flash(4 * 4096, 4096, 8)  # few slots: looked through at every start
    host = replace(targets.load("host"), flash=flash)
    plain = Spec(Network((10, 7, 3)))  # W1 is longer than a frame
    fused = Spec(
        Network((3, 4, 5, 2), output="softmax"), RuleChoice("local"), Inputs("f32", 1.0)
    )
    gated = Spec(
        Network((4, 6, 3), "relu", "identity"), RuleChoice("dfa"), Inputs("i16", 64.0),
        gate=Gate("row", budget=900), clip=Clip(2.0, 1.0),
    )  # fmt: skip
    vector = Spec(
        Network((4, 5, 3), "tanh", "identity"), RuleChoice("bp"), Inputs("f32", 1.0),
        goal="vector",
    )  # fmt: skip
    events = Spec(
        Network((3, 4, 2), "identity"),
        RuleChoice("ottt", {"encoding": "events", "ticks": 4}),
        Inputs("u16", 1.0, front=Events(4, 3, 3)), format="i8",
    )  # fmt: skip
    return {
        "dfa": plan(
            plain, host, window=3, samples=2, resident=_resident(plain), rehearsal=3
        ),
        "fused": plan(fused, host, window=2, samples=3, schedule="fused"),
        "gated": plan(
            gated, host, window=1, samples=1, resident=_resident(gated), rehearsal=1
        ),
        "vector": plan(
            vector, host, window=2, samples=2, resident=_resident(vector), rehearsal=2
        ),
        "events": plan(events, host, window=2, samples=2),
        "parts": plan(plain, host, window=1, samples=1, chunk=4),
    }  # fmt: skip


PLANS = _plans()
RUNTIMES = tuple(f"runtime-{name}" for name in PLANS)
HARNESSES = ("frame", *RUNTIMES)
NIGHTLY = ("parts",)
"""Plans whose harness is left to the night: tests/firmware says the same frame by frame."""
BRIEF = 200_000
"""Executions of all harnesses: seconds of each."""


# -- sources ------------------------------------------------------------------


def _field(field: protocol.Field) -> str:
    if field.name == "step":
        form = "A_STEP"
    else:
        form = {"f": "A_REAL", "s": "BYTES"}.get(field.code, "A_NUMBER")
    return f"{{ {field.size}, {form} }}"


def render_messages(parts: bool) -> str:
    """fuzz_messages.h: the protocol's declaration as a table; PART is a request where
    samples come in some. The committed inputs name requests by their place."""
    asked = [m for m in protocol.MESSAGES if m.request is not None]
    if not parts:
        asked.remove(protocol.PART)
    told = [m for m in protocol.MESSAGES if m.request is None]
    names = {
        m.kind: f"{m.name}_fields" for m in asked if m.request and m.request.fields
    }

    def row(message: Message) -> str:
        request, reply = message.request or Layout(), message.reply or Layout()
        return (
            f"    {{ 0x{message.kind:02x}, {int(message.request is not None)}, "
            f"{names.get(message.kind, 'NULL')}, {len(request.fields)}, "
            f"{int(bool(request.tail))}, {reply.size}, {int(bool(reply.tail))} }},"
        )

    lines = [
        "#include <stdbool.h>",
        "#include <stddef.h>",
        "#include <stdint.h>",
        "",
        "enum form { A_NUMBER, A_REAL, A_STEP, BYTES };",
        "struct field { uint8_t size; enum form form; };",
        "struct message { uint8_t kind; bool request; const struct field *fields; "
        "size_t count; bool tail; size_t reply_size; bool reply_tail; };",
        "",
    ]
    for message in asked:
        if message.request and message.request.fields:
            fields = ", ".join(map(_field, message.request.fields))
            lines.append(
                f"static const struct field {names[message.kind]}[] = {{ {fields} }};"
            )
    lines += ["", "static const struct message messages[] = {"]
    lines += [row(message) for message in (*asked, *told)]
    lines += ["};", ""]
    lines.append(
        f"enum {{ REQUESTS = {len(asked)}, MESSAGES = {len(asked) + len(told)}, "
        f"STATUSES = {max(protocol.Status) + 1} }};"
    )
    return "\n".join(lines) + "\n"


def _ours(*names: str) -> dict[str, str]:
    return {f"fuzz/{name}": (HERE / name).read_text("utf-8") for name in names}


def _of_spikes(planned: Plan) -> str:
    """What a list of events must stay below."""
    raster = planned.spec.inputs.raster
    if raster is None:
        return ""
    return f"enum {{ TICKS = {raster.ticks}, INPUTS = {raster.inputs} }};\n"


def sources(harness: str) -> BuildPlan:
    """Every file of a harness. Of the firmware nothing is left out but main and
    the port's line, whatever else there will be one day."""
    if harness == "frame":
        folder = FIRMWARE.parent
        files = {
            str(path.relative_to(folder)): path.read_text("utf-8")
            for path in (
                *(FIRMWARE / "include").iterdir(),
                FIRMWARE / "src/hil_frame.c",
            )
        }
        files["image/hil_protocol.h"] = render_protocol()
        files |= _ours("fuzz_frame.c", "independent.h")
        code = ("firmware/src/hil_frame.c", "fuzz/fuzz_frame.c")
        return BuildPlan(harness, files, (), code, None)
    planned = PLANS[harness.removeprefix("runtime-")]
    made = render(planned)
    files = made.files | _ours("fuzz_runtime.c", "independent.h", "port.c")
    in_passing = int(planned.program.in_passing)
    files["fuzz/fuzz_messages.h"] = (
        "/* whether a layer learns before those above it have looked */\n"
        f"#define IN_PASSING {in_passing}\n{_of_spikes(planned)}\n{render_messages(planned.chunk is not None)}"
    )
    ours = {
        "firmware/src/main.c": None,
        "firmware/src/hil_session.c": "fuzz/fuzz_runtime.c",
        "firmware/ports/host/host.c": "fuzz/port.c",
    }
    runtime = tuple(found for n in made.runtime if (found := ours.get(n, n)))
    return replace(
        made, name=harness, files=dict(sorted(files.items())), runtime=runtime
    )


# -- building and running -----------------------------------------------------


@pytest.fixture(scope="session")
def clang(tmp_path_factory: pytest.TempPathFactory) -> Toolchain:
    """A clang that links libFuzzer and the sanitizers."""
    program = "int LLVMFuzzerTestOneInput(void) { return 0; }\n"
    folder = tmp_path_factory.mktemp("clang")
    (folder / "empty.c").write_text(program)
    link = f"-fsanitize=fuzzer,{SANITIZERS}"
    names = ("clang", *(f"clang-{n}" for n in range(25, 13, -1)))
    for path in filter(None, map(shutil.which, names)):
        command = [path, link, "empty.c", "-o", "empty"]
        if subprocess.run(command, cwd=folder, capture_output=True).returncode == 0:
            told = subprocess.run([path, "--version"], capture_output=True, text=True)
            flags = (*WARNINGS, *ARITHMETIC, *CHECKS)
            return Toolchain(
                "clang", told.stdout.splitlines()[0], (path,), flags, flags,
                (path, link), ("-lm",),
            )  # fmt: skip
    require(None, "clang with libFuzzer (libclang-rt)", "CI=1 make system-packages")
    raise AssertionError  # `require` has not come back


class Finding(AssertionError):
    """An input for which an invariant does not hold, or a sanitizer complains."""


@dataclass(frozen=True)
class Ran:
    """What libFuzzer says of a run: executions, edges covered, seconds, peak
    memory in MB."""

    runs: int
    edges: int
    seconds: int
    memory: int


@dataclass(frozen=True)
class Harness:
    """A harness that has been built, and the folder of its committed corpus."""

    name: str
    program: Path

    @property
    def corpus(self) -> Path:
        """Where its inputs lie; those of the runtime's are shared."""
        return CORPUS / self.name.partition("-")[0]

    def run(self, *arguments: str | Path, folder: Path) -> str:
        """Run it in `folder`; what it printed. A finding fails the test."""
        done = subprocess.run(
            [self.program, f"-timeout={SLOW}", *arguments],
            cwd=folder, capture_output=True, text=True, errors="replace", timeout=LIMIT,
        )  # fmt: skip
        if done.returncode != 0:
            inputs = [path.read_bytes().hex() for path in folder.glob("*-" + "?" * 40)]
            raise Finding(
                f"{self.name} has a finding, in hexadecimal {', '.join(inputs)}:\n"
                + done.stderr[-6000:]
            )
        return done.stderr

    def fuzz(self, total: int, folder: Path) -> Ran:
        """This harness' share of `total` executions, beginning with the corpus."""
        share = len(RUNTIMES) if self.name == "frame" else 1
        runs = total * share // (2 * len(RUNTIMES)) + 1
        kept = Path(os.environ.get("HIL_FUZZ_CORPUS", folder)).absolute() / self.name
        kept.mkdir(parents=True, exist_ok=True)
        text = self.run(
            f"-runs={runs}", "-seed=1", f"-max_len={LONGEST}", "-print_final_stats=1",
            kept, self.corpus, folder=folder,
        )  # fmt: skip

        def told(pattern: str) -> int:
            found = re.findall(pattern, text)
            assert found, f"libFuzzer does not tell {pattern}: {text[-2000:]}"
            return int(found[-1])

        return Ran(
            told(r"number_of_executed_units:\s*(\d+)"), told(r"cov: (\d+)"),
            told(r"Done \d+ runs in (\d+) second"), told(r"peak_rss_mb:\s*(\d+)"),
        )  # fmt: skip


@pytest.fixture(scope="session")
def built(clang: Toolchain) -> Callable[..., Harness]:
    """Builds a harness by name, perhaps with other text in some files, or takes
    it from the cache of images."""

    def build(name: str, other: Mapping[str, str] | None = None) -> Harness:
        made = sources(name)
        made = replace(made, files=made.files | dict(other or {}))
        return Harness(name, toolchain.build(made, clang).path)

    return build


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """A line for each harness that ran, and their sum."""
    rows = []
    for report in terminalreporter.getreports("passed"):
        rows += [value for key, value in report.user_properties if key == "fuzz"]
    if not rows:
        return
    terminalreporter.section("fuzzing")
    for name, runs, edges, seconds, memory in sorted(rows):
        terminalreporter.write_line(
            f"{name:16} {runs:>12,} executions {edges:>6,} edges {seconds:>6,} s "
            f"{memory:>5,} MB"
        )
    total = sum(runs for _, runs, _, _, _ in rows)
    terminalreporter.write_line(f"{'in all':16} {total:>12,} executions, no finding")
