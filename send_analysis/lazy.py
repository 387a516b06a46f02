"""Modules of a folder, imported when first used, so that the package and its command start fast."""

import pkgutil
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any


def face(package: str, **functions: str) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return the ``__getattr__`` and ``__dir__`` of a package that imports what is asked for.

    Parameters
    ----------
    package : str
        Dotted name of the package.
    **functions : str
        Names that the package offers itself, each with the module of the package that has it, and
        after a colon what it is called there, if that is another name.

    Returns
    -------
    tuple of callable
        To be assigned to ``__getattr__, __dir__``.
    """
    modules = {module.name for module in pkgutil.iter_modules(sys.modules[package].__path__)}

    def find(name: str) -> Any:
        if name in functions:
            module, _, there = functions[name].partition(":")
            return getattr(import_module(f"{package}.{module}"), there or name)
        if name in modules:
            return import_module(f"{package}.{name}")
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return find, lambda: sorted({*modules, *functions})
