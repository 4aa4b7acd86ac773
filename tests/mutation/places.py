"""The places of a module that can be broken by a sign or an off-by-one, and what they are broken into."""

import ast
import os
from collections.abc import Iterator
from dataclasses import dataclass
from types import CodeType
from typing import Any

OPERATORS: dict[type, tuple[type, ...]] = {
    ast.Add: (ast.Sub,), ast.Sub: (ast.Add,), ast.Mult: (ast.Div,), ast.Div: (ast.Mult,),
    ast.FloorDiv: (ast.Mult,), ast.Pow: (ast.Mult,), ast.Mod: (ast.Mult,), ast.LShift: (ast.RShift,),
    ast.BitAnd: (ast.BitOr,), ast.BitOr: (ast.BitAnd,), ast.And: (ast.Or,), ast.Or: (ast.And,),
    ast.USub: (ast.UAdd,),
}  # fmt: skip
COMPARISONS: dict[type, tuple[type, ...]] = {
    ast.Lt: (ast.LtE, ast.GtE), ast.LtE: (ast.Lt, ast.Gt), ast.Gt: (ast.GtE, ast.LtE), ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.Is: (ast.IsNot,), ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,), ast.NotIn: (ast.In,),
}  # fmt: skip
PAIRS = "min max, minimum maximum, any all, argmin argmax, log log1p, exp expm1, floor ceil, ones zeros"
PAIRS += ", ones_like zeros_like, sinh arcsinh, cumsum cumprod, equal not_equal"
NAMES = {a: b for pair in PAIRS.split(", ") for a, b in (pair.split(), reversed(pair.split()))}
NAMES["abs"] = "positive"
SHOWN = (ast.BinOp, ast.Compare, ast.BoolOp, ast.Call, ast.Subscript, ast.IfExp, ast.arguments, ast.stmt)


@dataclass(frozen=True)
class Place:
    """One change: the statement's lines, whether it lies in a function's body, and how it reads."""

    file: str
    first: int
    last: int
    in_function: bool
    change: str

    def __str__(self) -> str:
        return f"{self.file}:{self.first} {self.change}"


def mutants(file: str, source: str, filename: str) -> Iterator[tuple[Place, CodeType]]:
    """Every place of a module with the code in which it is broken; one place is broken at a time."""
    tree = ast.parse(source)
    for node, shown, statement, in_function in list(_walk(tree, tree, None, False)):
        for field, broken in _changes(node):
            whole, before = getattr(node, field), ast.unparse(shown)
            setattr(node, field, broken)
            code, after = compile(ast.fix_missing_locations(tree), filename, "exec"), ast.unparse(shown)
            setattr(node, field, whole)
            last = node.end_lineno or node.lineno
            yield Place(file, statement.lineno, last, in_function, _change(before, after)), code


def _changes(node: ast.AST) -> Iterator[tuple[str, Any]]:
    """The fields of a node that are broken, each with its new content."""
    match node:
        case ast.Constant(value=bool(value)):
            yield "value", not value
        case ast.Constant(value=int(value) | float(value)):
            yield from (("value", value + by) for by in ((1, -1) if isinstance(value, int) else (1,)))
        case ast.UnaryOp(op=ast.Invert() | ast.Not()):
            yield "operand", ast.UnaryOp(node.op, node.operand)
        case ast.Compare():
            yield from _comparisons(node)
        case ast.BinOp(op=op) | ast.AugAssign(op=op) | ast.BoolOp(op=op) | ast.UnaryOp(op=op):
            yield from (("op", other()) for other in OPERATORS.get(type(op), ()))
        case ast.Name(id="abs"):
            yield "id", "float"
        case ast.Name(id="min" | "max" | "any" | "all" as name):
            yield "id", NAMES[name]
        case ast.Attribute(attr=name) if name in NAMES:
            yield "attr", NAMES[name]


def _comparisons(node: ast.Compare) -> Iterator[tuple[str, list[ast.cmpop]]]:
    for i, op in enumerate(node.ops):
        for other in COMPARISONS[type(op)]:
            yield "ops", [*node.ops[:i], other(), *node.ops[i + 1 :]]


def _walk(node: ast.AST, shown: ast.AST, statement: Any, in_function: bool) -> Iterator[Any]:
    """Nodes, what is shown of their surroundings, and their statements; no annotations, no decorators."""
    statement = node if isinstance(node, ast.stmt) else statement
    shown = node if isinstance(node, SHOWN) else shown
    yield node, shown, statement, in_function
    for name, content in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "format_spec"):
            continue
        inside = in_function or (isinstance(node, ast.FunctionDef) and name == "body")
        for child in content if isinstance(content, list) else [content]:
            if isinstance(child, ast.AST):
                yield from _walk(child, shown, statement, inside)


def _change(before: str, after: str) -> str:
    """Both texts, of long ones the part that differs."""
    before, after = " ".join(before.split()), " ".join(after.split())
    start = max(len(os.path.commonprefix((before, after))) - 40, 0)  # noqa: RUF071 - of texts
    before, after = (text[start : start + 80] for text in (before, after))
    return f"`{before}` to `{after}`"
