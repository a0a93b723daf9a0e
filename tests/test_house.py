"""The house cannot rot: imports one way, no circles, few rooms, a file per command and layer."""

import ast
import unittest

from recipes.commands.registry import COMMANDS, file_of
from tests.support import ROOT

# Who may import whom: a room imports from the floors above its own line, never from its own floor.
FLOORS = (
    {"base"},
    {"terms"},
    {"cost"},
    {"evidence", "asking", "released"},
    {"effects", "claims", "exchange"},
    {"picker", "library"},
    {"answers"},
    {"show"},
    {"commands"},
    {"cli"},
)
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
WIDTH, LONG, MANY = 100, 60, 8
# Commands whose whole room computes the answer, and those that print what needs no words.
ELSEWHERE = {
    "check": "evidence.consistency",
    "claims": "claims.verdicts",
    "compare": "exchange.compare",
    "completion": "commands.completion_scripts",
    "export": "exchange.target",
    "skill": "answers.guide",
}
SILENT = ("predict", "fit", "completion")


def modules() -> dict[str, ast.Module]:
    """Dotted name below the package -> its syntax tree."""
    house = ROOT / "recipes"
    return {
        ".".join(path.relative_to(house).with_suffix("").parts): ast.parse(path.read_text("utf-8"))
        for path in sorted(house.rglob("*.py"))
        if path.name != "__init__.py"
    }


def imported(name: str, tree: ast.Module, known: dict) -> set[str]:
    """The modules of the package that a module imports, inside functions too, not for types."""
    found, left = set(), [tree]
    while left:
        node = left.pop()
        if isinstance(node, ast.expr):
            continue
        if not (isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING"):
            left += ast.iter_child_nodes(node)
        if isinstance(node, ast.ImportFrom) and node.level:
            here = name.split(".")[: -node.level]
            base = ".".join([*here, *([node.module] if node.module else [])])
            for alias in node.names:
                inner = f"{base}.{alias.name}".strip(".")
                found |= {inner} if inner in known else {base} & set(known)
    return found


class House(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.trees = modules()
        cls.arrows = {name: imported(name, tree, cls.trees) for name, tree in cls.trees.items()}

    def test_imports_run_one_way(self):
        """A room knows only the rooms on lower floors."""
        for name, others in self.arrows.items():
            room = name.split(".")[0]
            for other in others:
                below = other.split(".")[0]
                with self.subTest(f"{name} imports {other}"):
                    self.assertTrue(room == below or FLOOR[below] < FLOOR[room])

    def test_no_circle(self):
        """No file reaches itself through its imports."""
        for name in self.arrows:
            reached, to_see = set(), list(self.arrows[name])
            while to_see:
                if (other := to_see.pop()) not in reached:
                    reached.add(other)
                    to_see += self.arrows[other]
            self.assertNotIn(name, reached)

    def test_few_rooms(self):
        """At most fifteen rooms at the top."""
        self.assertLessEqual(len({name.split(".")[0] for name in self.trees}), 15)

    def test_a_page(self):
        """Lines of 100 columns; few functions longer than a screen, none with a crowd of values."""
        long = []
        for path in [*(ROOT / "recipes").rglob("*.py"), *(ROOT / "tests").rglob("*.py")]:
            for number, line in enumerate(path.read_text("utf-8").split("\n"), 1):
                self.assertLessEqual(len(line), WIDTH, f"{path}:{number}")
        for name, tree in self.trees.items():
            for node in ast.walk(tree):
                if isinstance(node, ast.FunctionDef):
                    if node.end_lineno - node.lineno >= LONG:
                        long.append(f"{name}.{node.name}")
                    a = node.args
                    count = len([*a.posonlyargs, *a.args, *a.kwonlyargs])
                    count -= bool(a.args) and a.args[0].arg in ("self", "cls")
                    self.assertLessEqual(count, MANY, f"{name}.{node.name}")
        self.assertLessEqual(len(long), 4, long)

    def test_a_command_has_its_files(self):
        """commands/NAME.py, answers/NAME.py and show/NAME.py, for every command."""
        for name in COMMANDS:
            file = file_of(name)
            self.assertIn(f"commands.{file}", self.trees)
            self.assertIn(ELSEWHERE.get(name, f"answers.{file}"), self.trees)
            if name not in SILENT:
                self.assertIn(f"show.{file}", self.trees)


if __name__ == "__main__":
    unittest.main()
