"""Every error code of the source, found by reading it.

`python -m tests.docs.errorcodes` prints the rows that docs/errors.md lacks.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from holdfast.kernel.errors import FAMILIES

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "holdfast"
PAGE = ROOT / "docs" / "errors.md"
FAMILY_OF = {family.__name__: name for name, family in FAMILIES.items()}
_ROW = re.compile(r"\| `([a-z0-9-]+)` \| ([a-z-]+) \|")


def raised() -> dict[tuple[str, str], str]:
    """(code, family) → the message, of every error made anywhere in the source with a code written out."""
    found: dict[tuple[str, str], str] = {}
    for file in sorted(SOURCE.rglob("*.py")):
        for call in _calls(ast.parse(file.read_text())):
            family = FAMILY_OF[call.func.id]  # type: ignore[attr-defined]
            match call.args[:2]:
                case [ast.Constant(value=str(code)), ast.Constant(value=str(message))]:
                    found[code, family] = message
                case [ast.Constant(value=str(code)), *_]:
                    found.setdefault((code, family), "")
    return found


def _calls(tree: ast.AST) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in FAMILY_OF:
            yield node


def documented() -> set[tuple[str, str]]:
    """(code, family) of every row of docs/errors.md."""
    return {(code, family) for code, family in _ROW.findall(PAGE.read_text())}


if __name__ == "__main__":
    known = documented()
    for (code, family), message in sorted(raised().items()):
        if (code, family) not in known:
            print(f"| `{code}` | {family} | {message} |  |")
