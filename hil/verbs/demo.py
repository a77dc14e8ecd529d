"""hil demo: watch devices meet a changing world, and what becomes of them."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hil import output
from hil.flags import add_keys, keys_of
from targets.signals import held

if TYPE_CHECKING:
    from hil.demo import Demo, Outcome
    from hil.output import Output

HELP = "show devices that learn while their world changes: list the demos, or run one"

SET = ("name", "model", "data", "save", "holdout")
"""Keys of an experiment that a demo sets itself (`hil.demo.file.SET`)."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `hil demo`."""
    parser.add_argument(
        "demo", nargs="?", metavar="DEMO",
        help="name of a demo, or the path of its TOML file (default: list them)",
    )  # fmt: skip
    parser.add_argument(
        "--out",
        default="runs",
        metavar="DIR",
        help="folder in which the demo makes its own (default: runs)",
    )
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument(
        "--seeds", type=int, metavar="N",
        help="run the demo with seeds 1 to N, and tabulate its figures",
    )  # fmt: skip
    instead.add_argument(
        "--copy", metavar="DIR",
        help="copy the demo's two files into DIR: the start of your own demo",
    )  # fmt: skip
    instead.add_argument(
        "--new", metavar="NAME",
        help="write NAME.toml and NAME.py, a demo of your own with two arms",
    )  # fmt: skip
    instead.add_argument(
        "--again", metavar="FOLDER",
        help="compute figures, verdict and report of a demo's folder again, from the "
        "records of its arms: no device learns (default of DEMO: what the folder names)",
    )  # fmt: skip
    parser.add_argument(
        "--data", metavar="FILE",
        help="with --new: the file with its samples and labels, as for `hil run`",
    )  # fmt: skip
    add_keys(parser, *SET)


def run(given: argparse.Namespace) -> int:
    """The verb; returns the exit code of the runs."""
    with held():  # an import that is torn apart may lose the signal
        from hil import demo as demos
        from hil.errors import UsageError

    out = output.of(given)
    if given.new is not None:
        return _new(given, out)
    if given.data is not None:
        raise UsageError(
            f"--data is {given.data!r}, but the demo's Python makes its samples",
            "--new NAME --data FILE begins a demo of your own data",
        )
    if given.again is not None:
        return _again(given, out)
    if given.demo is None:
        return _list(demos.shipped(), out)
    demo = demos.find(given.demo)
    if given.copy is not None:
        return _copy(demo, Path(given.copy), out)
    values = keys_of(given)
    if given.seeds is None:
        outcome = _one(demo, values, given, out)
        out.document(outcome.to_json())
        return outcome.exit_code
    if given.seeds < 1:
        raise UsageError(f"--seeds is {given.seeds}: expected at least 1")
    return _seeds(demo, values, given, out)


def _list(found: list[Demo], out: Output) -> int:
    out.document(
        {"demos": [{"name": d.name, "title": d.title, "about": d.about} for d in found]}
    )
    for demo in found:
        out.line(f"{demo.name:10} {demo.title}")
    out.line()
    out.line(
        "`hil demo NAME` runs one; `hil demo --new NAME --data FILE` begins your own"
    )
    return 0


def _new(given: argparse.Namespace, out: Output) -> int:
    from hil.demo.new import new
    from hil.errors import UsageError

    _require_no_keys(given, "--new", "data")
    if given.demo is not None:
        raise UsageError(
            f"--new begins a demo from a template, and {given.demo!r} is another: expected "
            "one of them",
            f"hil demo {given.demo} --copy DIR begins one from that demo",
        )
    written = new(given.new, given.data)
    for path in written:
        out.line(f"wrote {path}")
    if given.data is None:
        out.line(f"put mine.csv beside them, or another name into {written[1].name}")
    out.line(f"`hil demo {written[0]}` runs it; with --target host it is fastest")
    out.document({"wrote": [str(path) for path in written]})
    return 0


def _require_no_keys(given: argparse.Namespace, flag: str, *heeded: str) -> None:
    """Raise `UsageError` for a key of an experiment: nobody would heed it."""
    from hil.errors import UsageError

    for name in keys_of(given):
        if name not in heeded:
            raise UsageError(
                f"--{name.replace('_', '-')} is given, but with {flag} nothing is "
                "learned: expected one of them"
            )


def _copy(demo: Demo, folder: Path, out: Output) -> int:
    from hil.errors import UsageError
    from targets import storage

    for path in (demo.path, demo.page):
        to = folder / path.name
        if to.exists():
            raise UsageError(f"--copy: {str(to)!r} exists already")
        with storage.naming(to):
            folder.mkdir(parents=True, exist_ok=True)
        storage.write(to, path.read_bytes())
        out.line(f"wrote {to}")
    return 0


def _one(
    demo: Demo, values: dict[str, Any], given: argparse.Namespace, out: Output
) -> Outcome:
    from hil import demo as demos
    from hil.live import for_stream

    out.line(f"demo     {demo.title}")
    if demo.data:
        out.line(f"data     {demo.data}")
    with held() as hold, for_stream(out.people) as view, hold.heard():
        outcome = demos.run(demo, values, Path(given.out), view)
    if outcome.failure is not None:
        output.tell(outcome.failure)
    _show(outcome, out)
    return outcome


def _again(given: argparse.Namespace, out: Output) -> int:
    """Figures from records."""
    from hil import demo as demos

    _require_no_keys(given, "--again")
    demo = None if given.demo is None else demos.find(given.demo)
    outcome = demos.again(Path(given.again), demo)
    out.line(f"demo     {outcome.demo.title}")
    _show_figures(outcome, out)
    out.line(
        f"AGAIN: figures of demo {outcome.demo.name} from the records of "
        f"{len(outcome.arms)} devices; nothing was learned"
    )
    out.document(outcome.to_json())
    return 0


def _show(outcome: Outcome, out: Output) -> None:
    """The figures, and how it ended."""
    _show_figures(outcome, out)
    compared = sum(run.compared for run in outcome.arms.values())
    ended = "PASS" if outcome.failure is None else f"ERROR {outcome.exit_code}"
    out.line(
        f"{ended}: demo {outcome.demo.name}, {compared} steps bit-exact on "
        f"{len(outcome.arms)} devices, {outcome.seconds:.0f} s"
    )


def _show_figures(outcome: Outcome, out: Output) -> None:
    """The figures, each with what it means, and where everything is."""
    from hil.records import baselines
    from hil.records.record import DEMO

    told = outcome.to_json()["provenance"]
    kinds = {told.get(f"metrics.{name}", told["metrics"]) for name in outcome.metrics}
    for name, value in outcome.metrics.items():
        out.line(f"{shown(name, value):>9}  {outcome.demo.metrics[name]}")
    for name, run in outcome.arms.items():
        if (right := run.accuracy["prequential"]) is not None:
            beside = baselines.told(run.accuracy.get("baselines"))
            out.line(f"{right:>9.1%}  right before learned, arm {name}{beside}")
            kinds.add(run.provenance["accuracy.baselines"])
    if outcome.metrics:
        out.line(f"           ({', '.join(sorted(kinds))}; seed {outcome.seed})")
        out.line(f"so       {outcome.verdict}")
    out.line(f"record   {outcome.folder / DEMO}")
    if outcome.report is not None:
        out.line(f"report   {outcome.report}")


def shown(name: str, value: float | None) -> str:
    """A figure as people read it: a share in per cent, a difference of two shares in
    points, which its meaning names, a loss and a number of steps as they are."""
    if value is None:
        return "never" if name.endswith("_steps") else "none"
    if name.endswith("_points"):
        return f"{100 * value:+.1f}"
    if name.endswith("_loss"):
        return f"{value:.2f}"
    return f"{value:,.0f}" if name.endswith("_steps") else f"{value:.1%}"


def _seeds(
    demo: Demo, values: dict[str, Any], given: argparse.Namespace, out: Output
) -> int:
    """A demo with several seeds: its figures side by side, worst and mean."""
    found = []
    for seed in range(1, given.seeds + 1):
        outcome = _one(demo, {**values, "seed": seed}, given, out)
        if outcome.failure is not None:
            return outcome.exit_code
        found.append(outcome)
    names = list(demo.metrics)
    out.line()
    heads = "".join(f"{f'seed {o.seed}':>9}" for o in found)
    out.line(f"{'':24}{heads}{'mean':>9}{'least':>9}{'most':>9}")
    rows = []
    for name in names:
        each = [o.metrics[name] for o in found]
        there = [value for value in each if value is not None]
        spread = (
            [sum(there) / len(there), min(there), max(there)] if there else [None] * 3
        )
        rows.append({"metric": name, "values": each, "mean": spread[0]})
        cells = "".join(f"{shown(name, value):>9}" for value in (*each, *spread))
        out.line(f"{name:24}{cells}")
    out.document(
        {"result": "pass", "exit_code": 0, "demo": demo.name, "rows": rows,
         "runs": [o.to_json() for o in found],
         "provenance": {"rows": found[0].to_json()["provenance"]["metrics"],
                        **{f"rows.{name}": "reference" for name in demo.reference}}}
    )  # fmt: skip
    return 0
