"""Images without a network, which answer HELLO, ECHO, PING and LEAVE: they tell what
the runtime alone takes on a target."""

from __future__ import annotations

from dataclasses import dataclass, replace

from codegen.building import toolchain
from codegen.building.buildplan import BuildPlan
from codegen.building.image import Image
from codegen.machine_code import stack
from codegen.planning.plan import link_plan
from codegen.planning.planned import LinkPlan
from codegen.rendering.render import render_link
from hil.desk.attach import attach, greet
from hil.desk.flashing import make_sure
from hil.device import units
from hil.device.device import Device
from hil.device.replies import Telemetry
from hil.errors import LinkError
from hil.experiment import Experiment
from targets import Target, load


@dataclass(frozen=True)
class LinkOnly:
    """An experiment whose network, rule and data are not looked at."""

    experiment: Experiment
    target: Target
    vlen: int


@dataclass(frozen=True)
class LinkBuilt:
    """The image and what it was made from."""

    plan: LinkPlan
    files: BuildPlan
    image: Image


def serves(asked: Experiment) -> bool:
    """Whether an image without a network is all that can be measured: no network
    and no format were asked for, and the target would refuse the usual ones."""
    usual = asked.network is None and asked.format is None
    return usual and not load(asked.target).fma


def prepare(asked: Experiment) -> LinkOnly:
    """Where the image will run. Raises `UsageError` and `DescriptorError`."""
    target = load(asked.target)
    if asked.unit is not None:
        asked = replace(asked, unit=units.chosen(asked.unit, target.name).name)
    return LinkOnly(asked, target, target.vlen(asked.vlen))


def build(wanted: LinkOnly) -> LinkBuilt:
    """The image, from the cache when it was built before. Raises `CompilerMissing`,
    and `BuildError` also when its stack could overflow."""
    target, plan = wanted.target, link_plan(wanted.target, wanted.experiment.window)
    files = render_link(plan)
    made = toolchain.build(files, toolchain.find(target, wanted.experiment.toolchain))
    bound = stack.deepest(made.path, target, wanted.vlen)
    if bound is not None:
        stack.refuse_deep(bound, target)
    return LinkBuilt(plan, files, made)


def measure(wanted: LinkOnly, built: LinkBuilt) -> Telemetry:
    """How the device is after a window of the longest frames, which come back whole.

    A unit that has a loader is flashed first. Raises `LinkError` when they do not, and
    what flashing, starting and greeting it raise.
    """
    line = built.plan.line
    payloads = [bytes([i]) * line.max_payload for i in range(2 * line.window)]
    with attach(
        wanted, built.image.path, ready=lambda unit: make_sure(unit, wanted, built)
    ) as attached:
        channel, limits = attached.channel, wanted.target.limits
        device = Device(channel, built.plan, limits, built.image.path)
        greet(device, wanted, built)
        if list(device.echo(payloads)) != payloads:
            raise LinkError("ECHO gave other bytes back than it got")
        told = device.ping()
        device.leave()
        attached.require_end(limits.stop)
    return told
