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
from codegen.memory import Const, Scratch
from codegen.spec import Network, RuleChoice, Spec


@dataclass(frozen=True)
class Parameter:
    """One parameter of a rule: its default also fixes its type."""

    name: str
    default: str | float
    meaning: str
    choices: tuple[str, ...] = ()

    def check(self, rule: str, value: object) -> str | float:
        """`value` as this parameter's type; raises `SpecError`."""
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


@dataclass(frozen=True)
class Declaration:
    """All that planning and rendering must know of a rule.

    `rates`: default learning rates by hidden activation, "*" for the others.
    `scratch(network, parameters)` lists the memory one step needs beyond inference's own,
    with lifetimes; `const(spec, parameters)` the tensors that lie in the image
    (such as a stored feedback matrix); `calls(network, parameters, layer)` the
    kernels its step template calls for the delta of that hidden layer, each with
    the shape it is called with. Kernels of inference and of updates are planned
    for every rule alike.
    """

    name: str
    title: str
    source: str
    equation: str
    parameters: tuple[Parameter, ...]
    rates: Mapping[str, Rate]
    scratch: Callable[[Network, Mapping[str, str | float]], tuple[Scratch, ...]]
    const: Callable[[Spec, Mapping[str, str | float]], tuple[Const, ...]]
    calls: Callable[
        [Network, Mapping[str, str | float], int], tuple[tuple[str, Shape], ...]
    ]


@dataclass(frozen=True)
class Rule:
    """A declaration together with its parameters, defaults filled in."""

    declaration: Declaration
    parameters: Mapping[str, str | float]

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
