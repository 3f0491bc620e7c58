"""Whether a function may add to the context what later ones take as parameters."""

from __future__ import annotations

import ast
import inspect
import textwrap
from typing import Any

# What the context offers that adds nothing to it.
HARMLESS = ("artifacts", "as_dict", "get", "logger", "metrics", "record")


def may_add(function: Any) -> bool:
    """By its text: not when it takes no context, or only looks at it. Where that cannot be told, it may."""
    if not inspect.isfunction(function) or hasattr(function, "__wrapped__"):
        return True
    if "ctx" not in function.__code__.co_varnames[: function.__code__.co_argcount + function.__code__.co_kwonlyargcount]:
        return False
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, SyntaxError, TypeError):
        return True
    looks = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in HARMLESS:
            looks.add(node.value)
        elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
            looks.add(node.value)
        elif isinstance(node, ast.Name) and node.id in ("eval", "exec", "locals", "vars"):
            return True
    return any(isinstance(node, ast.Name) and node.id == "ctx" and node not in looks for node in ast.walk(tree))
