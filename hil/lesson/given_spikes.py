"""Rules that hear spikes in time: their encoding and ticks, and data in that form."""

from __future__ import annotations

from dataclasses import replace

from codegen import rules
from codegen.numbers import NUMBERS
from codegen.raster import Raster
from codegen.spec import RuleChoice
from codegen.spiking import PLAYED
from hil.data import rasters
from hil.data.dataset import Dataset
from hil.experiment import Experiment


def agreed(experiment: Experiment, dataset: Dataset) -> tuple[Experiment, Dataset]:
    """Where data are spikes in time, and the rule hears them, what is left out of its
    encoding and ticks is theirs; where it has such an encoding, data travel so. Raises
    `DataError`."""
    declared = rules.declaration(experiment.rule)
    if not _plays(declared):
        return experiment, dataset
    raster, asked = dataset.inputs.raster, dict(experiment.parameters)
    if raster is not None:
        asked = hearing(experiment.rule, raster) | asked
        experiment = replace(experiment, parameters=asked)
    parameters = rules.get(RuleChoice(experiment.rule, asked)).parameters
    encoding, ticks = str(parameters["encoding"]), int(parameters["ticks"])
    if encoding not in PLAYED:
        return experiment, dataset
    if raster is not None:
        return experiment, rasters.travelling(dataset, encoding)
    whole = NUMBERS[declared.format or experiment.format or "f32"].integer
    return experiment, rasters.by_latency(dataset, encoding, ticks, whole)


def hearing(rule: str, raster: Raster | None) -> dict[str, str | float]:
    """The parameters by which a rule hears such samples; none where it has none."""
    if raster is None or not _plays(rules.declaration(rule)):
        return {}
    return {"encoding": raster.made_by, "ticks": raster.ticks}


def _plays(declared: rules.Declaration) -> bool:
    return "encoding" in {p.name for p in declared.parameters}
