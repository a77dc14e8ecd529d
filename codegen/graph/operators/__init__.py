"""The operators that are supported: a file each, with `OPERATOR`, its declaration.

The folder is the list. The numpy twin of `conv_2d.py` is
`codegen/reference/graph/operators/conv_2d.py`.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache

from codegen.graph.declaration import Declaration


@cache
def known() -> Mapping[str, Declaration]:
    """Declarations by the schema's names."""
    modules = (
        importlib.import_module(f"{__name__}.{found.name}")
        for found in pkgutil.iter_modules(__path__)
    )
    return {module.OPERATOR.name: module.OPERATOR for module in modules}
