"""What makes sense in an integer format, and why the rest does not."""

from __future__ import annotations

from codegen import spec as floats
from codegen.errors import SpecError
from codegen.numbers import Numbers, factor
from codegen.parameters import Parameters
from codegen.spec import HARD_TANH, Inputs, Spec, UpdateChoice

ACTIVATIONS = ("tanh", HARD_TANH)
"""By a table, and by clipped lines."""
OUTPUTS = ("sigmoid",)
NO_FUNCTION = "identity"
"""What cells that spike have: a threshold, and outputs that are sums."""
SCALES = (2.0**-20, 100.0)
"""What the magnitude of sign feedback lies between."""


def activations(numbers: Numbers) -> tuple[str, ...]:
    """Those of hidden layers of such numbers."""
    if numbers.own:
        return (NO_FUNCTION,)
    return ACTIVATIONS if numbers.integer else floats.ACTIVATIONS


def outputs(numbers: Numbers) -> tuple[str, ...]:
    """Outputs of such numbers, with their losses."""
    if numbers.own:
        return (NO_FUNCTION,)
    return OUTPUTS if numbers.integer else floats.OUTPUTS


def with_rule(numbers: Numbers, taught: tuple[str, ...]) -> tuple[str, ...]:
    """Those with a rule that teaches `taught` in floats: tables take the place of tanh,
    and a rule without it has its own."""
    found = activations(numbers)
    return found if "tanh" in taught else taught


def require(
    spec: Spec,
    rule: str,
    parameters: Parameters,
    floating: str,
    taught: tuple[str, ...],
) -> None:
    """Raise `SpecError` for what integers cannot have, where `spec` is of such a format,
    and for what they alone have, where it is not. `floating`: why the rule has no
    form in integers, if it has none; `taught`: the activations it teaches in floats."""
    if not spec.numbers.integer:
        if spec.network.activation == HARD_TANH:
            raise SpecError(
                f"activation {HARD_TANH!r} is one of the integer formats: expected "
                "another with f32, or format i16 or i8"
            )
        return
    if spec.numbers.own:
        _require_spikes(spec, rule)
        return
    if floating:
        raise SpecError(
            f"rule {rule!r} has no form in {spec.format}: {floating}: expected "
            "format f32"
        )
    _require_network(spec, "tanh" in taught)
    _require_inputs(spec)
    _require_updates(spec)
    _require_feedback(spec, rule, parameters)


def _require_spikes(spec: Spec, rule: str) -> None:
    """What no rule of whole numbers has, for it says itself what its state stays within."""
    inputs, clip = spec.inputs, spec.clip
    for found, what, why, expected in (
        (not 1 <= inputs.scale <= 2**16, f"samples divided by {inputs.scale:g}",
         "a spike is drawn with so many 256ths", "a scale from 1 to 65536"),
        (inputs.raster is None and (inputs.dtype != "u8" or inputs.declared is not None), _coming(inputs),
         "a spike is drawn of a whole number", "u8 samples, divided by a scale"),
        (spec.goal != "label", f"goal {spec.goal!r}", "a teacher knows one class", "goal label"),
        (spec.update != UpdateChoice(), f"update {spec.update.name!r}",
         "a synapse changes by what passes it", "update rank-1"),
        (clip.weights is not None or clip.error is not None, "a limit of the experiment's",
         f"rule {rule!r} has its own", "neither clip_weights nor clip_error"),
    ):  # fmt: skip
        if found:
            raise _refusal(spec, what, why, expected)


def _coming(inputs: Inputs) -> str:
    """What the network is given, as sentences call it."""
    if inputs.front is not None or inputs.frozen is not None:
        return str(inputs)
    return f"samples that come as {inputs}"


def _refusal(spec: Spec, what: str, why: str, expected: str) -> SpecError:
    return SpecError(f"{what} in {spec.format}: {why}: expected {expected}")


def _require_network(spec: Spec, tabled: bool) -> None:
    """`tabled`: a rule without tanh has activations of its own, and says so itself."""
    network = spec.network
    if tabled and network.activation not in ACTIVATIONS:
        raise _refusal(
            spec, f"activation {network.activation!r}",
            "activations of 8 bits are within -1 and 1, and tables are made of tanh",
            " or ".join(ACTIVATIONS),
        )  # fmt: skip
    if network.output not in OUTPUTS:
        raise _refusal(
            spec, f"output {network.output!r}",
            "an error of 8 bits is one of outputs between 0 and 1, each by itself",
            " or ".join(OUTPUTS),
        )  # fmt: skip
    if spec.goal != "label":
        raise _refusal(
            spec, f"goal {spec.goal!r}",
            "8 bits of an error are too few to learn numbers by", "goal label",
        )  # fmt: skip


def _require_inputs(spec: Spec) -> None:
    inputs = spec.inputs
    if not inputs.floatless:
        raise _refusal(
            spec, _coming(inputs),
            "no float is computed there on the way to the network",
            "u8 or i16 samples, divided by a scale or scaled, or windows"
            if inputs.frozen is None
            else "u8 or i16 samples, and a front of 8 bits from the sample to the features, which no "
            "scaler scales",
        )  # fmt: skip
    if inputs.scaler is not None:
        inputs.scaler.require_levels()
    if inputs.declared is None:
        factor(inputs.scale, inputs.format.bits)


def _require_updates(spec: Spec) -> None:
    if spec.gate.rows:
        raise _refusal(
            spec, f"gate {spec.gate.kind!r}",
            "rounding leaves out every change below half a unit by itself",
            "gate none or error",
        )  # fmt: skip
    if spec.update != UpdateChoice():
        raise _refusal(
            spec, f"update {spec.update.name!r}",
            "a velocity would need more bits than a weight", "update rank-1",
        )  # fmt: skip
    if spec.clip.error is not None:
        raise _refusal(
            spec, "clip_error", "an error is within -1 and 1 by itself", "none"
        )


def _require_feedback(spec: Spec, rule: str, parameters: Parameters) -> None:
    if "feedback" not in parameters:
        return
    if parameters["feedback"] in ("weights", "none"):
        return
    if parameters["feedback"] != "signs":
        raise _refusal(
            spec, f"feedback {parameters['feedback']!r} of rule {rule!r}",
            "a stored matrix would need a point of its own",
            "signs, or what is not stored",
        )  # fmt: skip
    scale = float(parameters["feedback_scale"])
    if not SCALES[0] <= scale <= SCALES[1]:
        raise _refusal(
            spec, f"feedback_scale {scale:g} of rule {rule!r}",
            "its 8 leading bits are a factor, the others a shift",
            f"{SCALES[0]:.3g} to {SCALES[1]:g}",
        )  # fmt: skip
