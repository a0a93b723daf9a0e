"""What the tests of `import` share: result files in the harnesses' real formats, a folder to import
into.
"""

import json
import pathlib
import tempfile
import unittest

from .support import DATA, call, library

FIXTURES = DATA / "import"
SIGLIP = str(FIXTURES / "lmms" / "siglip" / "20260901_101500_results.json")
CLIP = str(FIXTURES / "lmms" / "clip" / "20260831_090000_results.json")
VLM = str(FIXTURES / "vlmevalkit")
REST = "connector=mlp,llm=vicuna-1.5-7b,data=llava-665k"
WORDS = library().words


class Case(unittest.TestCase):
    """A folder of its own, and a few ways to import into it."""

    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.into = self.folder / "own"

    def write(self, name: str, content) -> str:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(
            content
            if isinstance(content, bytes)
            else (content if isinstance(content, str) else json.dumps(content)).encode()
        )
        return str(path)

    def take(
        self, *argv: str, arm: str | None = "siglip", recipe: str | None = f"encoder=siglip,{REST}"
    ):
        return call(
            "import",
            *argv,
            *(["--as", arm] if arm else []),
            *(["--recipe", recipe] if recipe else []),
            "--into",
            str(self.into),
        )

    def taken(self, *argv: str, **kwargs) -> dict:
        code, out, err = self.take(*argv, "--json", **kwargs)
        self.assertEqual((code, err), (0, ""), out)
        return json.loads(out)

    def refused(self, *argv: str, code: int = 1, say: tuple[str, ...] = (), **kwargs) -> str:
        """One line on stderr, this exit code, and the folder as it was."""
        before = self.bytes()
        got, out, err = self.take(*argv, **kwargs)
        self.assertEqual(got, code, out + err)
        self.assertEqual(err.count("\n"), 1, err)
        self.assertTrue(err.startswith("error: "), err)
        for word in say:
            self.assertIn(word, err)
        self.assertTrue(all(char.isprintable() for char in err[:-1]), ascii(err))
        self.assertEqual(self.bytes(), before)
        return err

    def bytes(self) -> dict:
        return {
            str(path.relative_to(self.folder)): path.read_bytes()
            for path in sorted(self.folder.rglob("*"))
            if path.is_file() and not path.is_symlink()
        }

    def table(self, key: str = "my-runs") -> dict:
        return json.loads((self.into / f"{key}.json").read_text(encoding="utf-8"))["tables"][0]

    def lmms(self, results: dict, name: str = "20260101_000000_results.json", **more) -> str:
        return self.write(name, {"results": results, **more})
