"""hil export: runs for the programs in which people keep their experiments."""

from __future__ import annotations

import argparse
import os

from hil import output
from hil.errors import UsageError

HELP = "put runs into TensorBoard, MLflow or CSV files"
URI = "MLFLOW_TRACKING_URI"
FILE = "sqlite:///mlflow.db"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `hil export`."""
    parser.description = (
        f"{HELP}: every figure as the record has it and how it was obtained, the curves "
        "over the steps, and what was chosen."
    )
    parser.add_argument(
        "folder", metavar="RUN",
        help="folder of a run, or one that holds runs, as a sweep's or a demo's",
    )  # fmt: skip
    parser.add_argument(
        "--tensorboard", metavar="DIR",
        help="write event files into DIR, for tensorboard --logdir DIR",
    )  # fmt: skip
    parser.add_argument(
        "--mlflow", metavar="URI", nargs="?", const="",
        help=f"log the runs to this MLflow server or file (without URI: ${URI}, else {FILE})",
    )  # fmt: skip
    parser.add_argument(
        "--csv", metavar="DIR",
        help="write steps.csv, figures.csv and settings.csv of each run into DIR",
    )  # fmt: skip


def run(given: argparse.Namespace) -> int:
    """The verb."""
    from pathlib import Path

    from hil.reports import tracking

    out = output.of(given)
    if (given.tensorboard, given.mlflow, given.csv) == (None, None, None):
        raise UsageError("hil export needs one of --tensorboard, --mlflow and --csv")
    runs = tracking.load(Path(given.folder))
    made: dict[str, list[str]] = {}
    if given.tensorboard is not None:
        folders = tracking.to_tensorboard(runs, Path(given.tensorboard))
        made["tensorboard"] = [str(folder) for folder in folders]
    if given.mlflow is not None:
        uri = given.mlflow or os.environ.get(URI) or FILE
        made["mlflow"] = tracking.to_mlflow(runs, uri)
    if given.csv is not None:
        made["csv"] = [str(path) for path in tracking.to_csv(runs, Path(given.csv))]
    for kind, things in made.items():
        out.line(f"{kind:11} {things[0]}" + (", ..." if len(things) > 1 else ""))
    out.line(f"exported    {len(runs)} {'run' if len(runs) == 1 else 'runs'}")
    out.document({"runs": [str(run.folder) for run in runs], **made})
    return 0
