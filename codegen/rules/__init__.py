"""Learning rules: what each one declares about itself.

A rule is three files of one name: the declaration here (`dfa.py`), the numpy
twin (`codegen/reference/rules/dfa.py`) and the step template
(`codegen/templates/rules/dfa.c.j2`). Nothing else lists the rules: `names()`
looks at what lies in this folder.
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from codegen.cost import Shape
from codegen.errors import SpecError
from codegen.memory import Const, Scratch, State
from codegen.spec import Network, RuleChoice, Spec

Parameters = Mapping[str, str | float]
"""Values by the names of a rule's parameters, every one there."""


@dataclass(frozen=True)
class Parameter:
    """One parameter of a rule: its default also fixes its type. A whole number
    is at least 1 and at most `most`."""

    name: str
    default: str | float
    meaning: str
    choices: tuple[str, ...] = ()
    most: int = 1 << 16

    def check(self, rule: str, value: object) -> str | float:
        """`value` as this parameter's type; raises `SpecError`."""
        if isinstance(self.default, int):
            whole = isinstance(value, int) and not isinstance(value, bool)
            if not whole or not 1 <= value <= self.most:  # type: ignore[operator]
                raise SpecError(
                    f"rule {rule!r} has {self.name} = {value!r}: expected a whole "
                    f"number from 1 to {self.most}"
                )
            return value  # type: ignore[return-value]
        if self.choices:
            if value not in self.choices:
                raise SpecError(
                    f"rule {rule!r} has {self.name} = {value!r}: expected one of "
                    + ", ".join(self.choices)
                )
            return str(value)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise SpecError(
                f"rule {rule!r} has {self.name} = {value!r}: expected a number"
            )
        return float(value)


@dataclass(frozen=True)
class Rate:
    """A learning rate for small inputs (up to 256, such as 8x8 digits) and for
    wide ones (such as MNIST's 784 pixels)."""

    small: float
    wide: float


def by_activation(**rates: Rate) -> Callable[[str, Parameters], Rate]:
    """Rates that depend on the hidden activation alone: its own, or `others`."""
    return lambda activation, parameters: rates.get(activation, rates["others"])


def _no_state(network: Network, parameters: Parameters) -> tuple[State, ...]:
    return ()


def _no_const(spec: Spec, parameters: Parameters) -> tuple[Const, ...]:
    return ()


def every_layer(network: Network) -> frozenset[int]:
    """The weight layers 1..L."""
    return frozenset(range(1, network.depth + 1))


def slope(network: Network, layer: int) -> tuple[tuple[str, Shape], ...]:
    """The call that takes something through the activation of a hidden layer
    backwards, times phi' (identity's only looks whether it is finite)."""
    across = Shape(1, network.layers[layer])
    if network.activation == "identity":
        return (("f32_all_finite", across),)
    return ((f"f32_{network.activation}_grad", across),)


@dataclass(frozen=True)
class Declaration:
    """All that planning and rendering must know of a rule.

    `rates(activation, parameters)`: default learning rates.
    `scratch(network, parameters)` lists the memory one step needs, with lifetimes:
    `codegen.memory` has inference's part and those of the common forms of rules.
    `calls(network, parameters, layer)` are the kernels that its step template calls
    for layer 1..L, each with the shape it is called with; a kernel that is called
    in another part than the layer's own stands as "part/kernel". Kernels of
    inference and of rank-1 updates are planned for every rule alike.
    `const(spec, parameters)`: tensors in the image, such as stored feedback;
    `state(network, parameters)`: tensors that steps change beside the weights,
    such as read-outs; their first values are drawn by the rule's twin as well.
    `updates(network)`: the layers that get a rank-1 update from input and delta;
    `in_passing`: whether each does so right after its own forward (DESIGN 4.3);
    `gates`: the kinds of gates that make sense with it, "rows" and "error";
    `dense_input`: whether its step reads the input x itself.
    """

    name: str
    title: str
    source: str
    equation: str
    parameters: tuple[Parameter, ...]
    rates: Callable[[str, Parameters], Rate]
    scratch: Callable[[Network, Parameters], tuple[Scratch, ...]]
    calls: Callable[[Network, Parameters, int], tuple[tuple[str, Shape], ...]]
    const: Callable[[Spec, Parameters], tuple[Const, ...]] = _no_const
    state: Callable[[Network, Parameters], tuple[State, ...]] = _no_state
    updates: Callable[[Network], frozenset[int]] = every_layer
    in_passing: bool = False
    gates: frozenset[str] = frozenset({"rows", "error"})
    dense_input: bool = False


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
    return sorted(m.name.replace("_", "-") for m in pkgutil.iter_modules(__path__))


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
    return Rule(declared, values)


def require_gates(rule: Rule, spec: Spec) -> None:
    """Raise `SpecError` for a gate of `spec` that makes no sense with `rule`."""
    declared, gate = rule.declaration.gates, spec.gate
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
