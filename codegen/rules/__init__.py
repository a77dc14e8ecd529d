"""Learning rules: what each one declares about itself.

A rule is two files of one name: `dfa.py` here, which declares it and builds the
operations of its step, and its numpy twin, `codegen/reference/rules/dfa.py`, written
from the equation. Nothing else lists the rules: `names()` looks at what lies in this
folder.
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from codegen import in_integers
from codegen.composer import Composer
from codegen.errors import SpecError
from codegen.numbers import Numbers
from codegen.parameters import Parameter, Parameters
from codegen.program import Program
from codegen.raster import Raster
from codegen.spec import ACTIVATIONS, HARD_TANH, OUTPUTS, Network, RuleChoice, Spec
from codegen.traces import Phase


@dataclass(frozen=True)
class Rate:
    """A learning rate for small inputs (up to 256, such as 8x8 digits) and for
    wide ones (such as MNIST's 784 pixels)."""

    small: float
    wide: float


def by_activation(**rates: Rate) -> Callable[[str, Parameters], Rate]:
    """Rates that depend on the hidden activation alone: its own, or `others`."""
    return lambda activation, parameters: rates.get(activation, rates["others"])


def no_spikes(parameters: Parameters, raster: Raster | None) -> str:
    """Of a rule that has nothing played."""
    return "" if raster is None else f"{raster}: expected samples of numbers"


@dataclass(frozen=True)
class Declaration:
    """All that planning and rendering must know of a rule.

    `rates(activation, parameters)`: default learning rates.
    `program(composer)`: what a step does, of which everything else is derived;
    `codegen.forms` has the common forms.
    `gates`: the kinds of gates that make sense with it, "rows" and "error".
    `activations`, `outputs`: those of networks that it can teach, the usual one first;
    `most`: weight layers of such a network at most, `least` at least, and `why` that is so;
    `widest`: numbers that its output layer may have as inputs, if there is a limit, and
    `costly` why there is.
    `hidden`: hidden layers of the network where none is asked for (None: as ever).
    `phases(parameters)`: those of a step, if its network settles in cycles.
    `conflict(parameters)`: which of them make no sense together, and what was expected;
    empty where all do.
    `whole(parameters)`: which of them has rows learn so that no gate can leave some out;
    empty where none has.
    `rated`: whether a learning rate says how far a step goes.
    `floating`: why it has no form in integers, if it has none;
    `integers(parameters)`: which of its parameters have none there, and what was expected.
    `hears(parameters, raster)`: which samples make no sense with them, spikes in time or (None)
    numbers, and what was expected; empty where they do.
    `format`: the only one that it computes in, if it is not one of several.
    """

    name: str
    title: str
    source: str
    equation: str
    parameters: tuple[Parameter, ...]
    rates: Callable[[str, Parameters], Rate]
    program: Callable[[Composer], Program]
    gates: frozenset[str] = frozenset({"rows", "error"})
    activations: tuple[str, ...] = ACTIVATIONS
    outputs: tuple[str, ...] = OUTPUTS
    most: int | None = None
    least: int = 1
    why: str = ""
    widest: int | None = None
    costly: str = ""
    hidden: int | None = None
    phases: Callable[[Parameters], tuple[Phase, ...]] = lambda parameters: ()
    conflict: Callable[[Parameters], str] = lambda parameters: ""
    whole: Callable[[Parameters], str] = lambda parameters: ""
    rated: bool = True
    floating: str = ""
    integers: Callable[[Parameters], str] = lambda parameters: ""
    hears: Callable[[Parameters, Raster | None], str] = no_spikes
    format: str = ""

    def suited(self, network: Network) -> Network:
        """The network of such widths that it can teach: what it cannot have is replaced
        by what is usual, and hidden layers that are too many are left out, from the last
        on."""
        *hidden, n_out = network.layers
        activation, output = network.activation, network.output
        return Network(
            (*hidden[: self.most], n_out),
            activation if activation in self.activations else self.activations[0],
            output if output in self.outputs else self.outputs[0],
        )


@dataclass(frozen=True)
class Rule:
    """A declaration together with its parameters, defaults filled in."""

    declaration: Declaration
    parameters: Parameters

    @property
    def name(self) -> str:
        """The name the command line uses."""
        return self.declaration.name

    @property
    def module(self) -> str:
        """File name of the three parts, without ending."""
        return self.name.replace("-", "_")


def names() -> list[str]:
    """Names of all rules, sorted."""
    return [*_in(tuple(__path__))]


def taught(numbers: Numbers) -> list[str]:
    """Names of the rules that make sense in such numbers, sorted."""
    return [name for name in names() if _makes_sense(declaration(name), numbers)]


def _makes_sense(declared: Declaration, numbers: Numbers) -> bool:
    if numbers.own or declared.format:
        return declared.format == numbers.name
    return not (numbers.integer and declared.floating)


@cache
def _in(folders: tuple[str, ...]) -> tuple[str, ...]:
    """The rules that lie in these folders, which are looked at once."""
    return tuple(
        sorted(m.name.replace("_", "-") for m in pkgutil.iter_modules(folders))
    )


def declaration(name: str) -> Declaration:
    """The declaration of rule `name`; raises `SpecError` for an unknown one."""
    known = names()
    if name not in known:
        close = difflib.get_close_matches(name, known, 1)
        hints = [f"did you mean {close[0]!r}?"] if close else []
        raise SpecError(
            f"unknown rule {name!r}: expected one of {', '.join(known)}", *hints
        )
    return importlib.import_module(f"{__name__}.{name.replace('-', '_')}").RULE


def get(choice: RuleChoice) -> Rule:
    """The rule of a `RuleChoice`, its parameters checked and completed.

    Raises `SpecError` for an unknown rule or parameter, or a wrong value.
    """
    declared = declaration(choice.name)
    known = {p.name: p for p in declared.parameters}
    for key in choice.parameters:
        if key not in known:
            raise SpecError(
                f"rule {choice.name!r} has no parameter {key!r}: expected "
                + (", ".join(known) or "none")
            )
    values = {
        name: p.check(choice.name, choice.parameters.get(name, p.default))
        for name, p in known.items()
    }
    conflict = declared.conflict(values)
    if conflict:
        raise SpecError(f"rule {choice.name!r} has {conflict}")
    return Rule(declared, values)


def require(rule: Rule, spec: Spec) -> None:
    """Raise `SpecError` for a format, a network or a gate of `spec` that makes no sense
    with `rule`."""
    _require_format(rule.declaration, spec)
    declared = rule.declaration
    in_integers.require(
        spec, rule.name, rule.parameters, declared.floating, declared.activations
    )
    _require_parameters(rule, spec)
    _require_samples(rule, spec)
    _require_network(rule.declaration, spec.network)
    _require_gates(rule, spec)


def _require_parameters(rule: Rule, spec: Spec) -> None:
    wrong = rule.declaration.integers(rule.parameters)
    if spec.numbers.integer and not spec.numbers.own and wrong:
        raise SpecError(f"rule {rule.name!r} in {spec.format} has {wrong}")


def _require_samples(rule: Rule, spec: Spec) -> None:
    raster = spec.inputs.raster
    wrong = rule.declaration.hears(rule.parameters, raster)
    if not wrong and raster is not None and spec.goal == "sample":
        wrong = (
            f"{raster}, and goal = sample: expected outputs that are no spikes in time"
        )
    if wrong:
        raise SpecError(f"rule {rule.name!r} is given {wrong}")


def _require_format(declared: Declaration, spec: Spec) -> None:
    if declared.format not in ("", spec.format):
        raise SpecError(
            f"rule {declared.name!r} makes no sense in {spec.format}: it is one of whole "
            f"numbers: expected format {declared.format}",
            "leave format out: a rule knows what is its own",
        )
    if spec.numbers.own and not declared.format:
        others = ", ".join(taught(spec.numbers))
        raise SpecError(
            f"format {spec.format!r} is that of rules which know no other: expected rule "
            f"{others}, or another format"
        )


def _require_network(declared: Declaration, network: Network) -> None:
    for what, found, known in (
        ("activation", network.activation, declared.activations),
        ("output", network.output, declared.outputs),
    ):
        hard = found == HARD_TANH and "tanh" in known  # which is tanh's in integers
        if found not in known and not hard:
            raise SpecError(
                f"{what} {found!r} makes no sense with rule {declared.name!r}: expected "
                + " or ".join(known),
                f"leave {what} out: a rule knows what is usual with it",
            )
    if declared.most is not None and network.depth > declared.most:
        hidden = declared.most - 1
        raise SpecError(
            f"network {network} has {network.depth - 1} hidden layers: expected {hidden} "
            f"at most with rule {declared.name!r}, {declared.why}"
        )
    if network.depth < declared.least:
        raise SpecError(
            f"network {network} has {network.depth - 1} hidden layers: expected "
            f"{declared.least - 1} with rule {declared.name!r}, {declared.why}"
        )
    features = network.layers[-2]
    if declared.widest is not None and features > declared.widest:
        raise SpecError(
            f"rule {declared.name!r} learns from {features:,} numbers here: expected "
            f"{declared.widest:,} at most, {declared.costly}",
            "a hidden layer, or a front that is cut elsewhere, gives it fewer",
        )


def _require_gates(rule: Rule, spec: Spec) -> None:
    declared, gate = rule.declaration.gates, spec.gate
    whole = rule.declaration.whole(rule.parameters)
    if gate.rows and whole:
        raise SpecError(
            f"gate {gate.kind!r} makes no sense with rule {rule.name!r} and {whole}: expected "
            "gate none or error"
        )
    if gate.rows and "rows" not in declared:
        raise SpecError(
            f"gate {gate.kind!r} makes no sense with rule {rule.name!r}, which makes no "
            "rank-1 update of hidden layers: expected gate none or error"
        )
    if gate.error and "error" not in declared:
        raise SpecError(
            f"an error gate makes no sense with rule {rule.name!r}, which changes "
            "weights before there is an error"
        )
