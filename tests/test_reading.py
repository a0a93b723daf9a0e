"""Reading JSON files that may be hostile: each is an EvidenceError that names the file, never a
crash.
"""

import json
import os
import pathlib
import tempfile
import unittest

from recipes.base import reading
from recipes.base.reading import EvidenceError, line_of, parse, read_json


class Hostile(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = pathlib.Path(self.folder.name) / "t.json"

    def refused(self, content: bytes, *words: str, rule: str | None = None) -> EvidenceError:
        self.path.write_bytes(content)
        with self.assertRaises(EvidenceError) as caught:
            read_json(self.path, root=self.folder.name)
        for word in words:
            self.assertIn(word, str(caught.exception))
        self.assertIn("t.json", str(caught.exception))
        self.assertNotIn("\n", str(caught.exception))
        if rule:
            self.assertEqual(caught.exception.rule, rule)
        return caught.exception

    def test_good_file(self):
        self.path.write_text('{"a": [1, 2.5, null, "ü"]}', encoding="utf-8")
        self.assertEqual(read_json(self.path, root=self.folder.name), {"a": [1, 2.5, None, "ü"]})

    def test_malformed(self):
        self.refused(b"", "line 1")
        self.refused(b'{"a": 1', "line 1")
        self.refused(b'{"a": 1}\n{"b": 2}', "line 2")
        self.refused(b"[1, 2,]", "not JSON")

    def test_numbers(self):
        for text in (b"NaN", b"Infinity", b"-Infinity"):
            self.refused(b'{"a": ' + text + b"}", text.decode().lstrip("-"))
        self.refused(b'{"a": 1e999}', "too large")
        self.refused(b'{"a": ' + b"9" * 5000 + b"}", "5000 digits")

    def test_duplicate_key(self):
        self.refused(b'{"avg": 1, "x": 2, "avg": 3}', "'avg'", "twice")

    def test_depth(self):
        self.refused(b"[" * 100_000, "deep")
        self.refused(b'{"a":' * 200 + b"1" + b"}" * 200, "deep")
        brackets = json.dumps({"note": "[" * 500 + '"' + "{" * 500})
        # brackets inside a text are no nesting
        self.assertEqual(len(parse(brackets, "x")["note"]), 1001)

    def test_encoding(self):
        self.refused(b"\xef\xbb\xbf{}", "byte-order mark", rule="encoding")
        self.refused('{"a": "ü"}'.encode("latin-1"), "UTF-8", rule="encoding")
        self.refused('{"a": 1}'.encode("utf-16"), "UTF-8", rule="encoding")

    def test_files(self):
        with self.assertRaises(EvidenceError):
            read_json(self.path)  # does not exist
        with self.assertRaises(EvidenceError):
            read_json(self.folder.name)  # a directory
        with open(self.path, "wb") as file:
            file.truncate(reading.MAX_BYTES + 1)
        with self.assertRaises(EvidenceError) as caught:
            read_json(self.path)
        self.assertIn("more than", str(caught.exception))

    def test_fifo_is_not_waited_for(self):
        path = os.path.join(self.folder.name, "pipe.json")
        os.mkfifo(path)
        with self.assertRaises(EvidenceError):
            read_json(path, root=self.folder.name)

    def test_link_out_of_the_directory(self):
        outside = tempfile.NamedTemporaryFile(suffix=".json")  # noqa: SIM115
        self.addCleanup(outside.close)
        outside.write(b"{}")
        outside.flush()
        self.path.symlink_to(outside.name)
        with self.assertRaises(EvidenceError) as caught:
            read_json(self.path, root=self.folder.name)
        self.assertIn("link", str(caught.exception))
        self.path.unlink()
        inside = pathlib.Path(self.folder.name) / "other.json"
        inside.write_text("{}")
        self.path.symlink_to(inside)
        self.assertEqual(read_json(self.path, root=self.folder.name), {})


class Lines(unittest.TestCase):
    TEXT = '{"a": {"b/c": [10,\n 20,\n {"d": 1,\n  "e": [\n   5]}]},\n "z": 3}'

    def test_line_of(self):
        for pointer, line in (
            ("", 1),
            ("/a", 1),
            ("/a/b~1c/0", 1),
            ("/a/b~1c/1", 2),
            ("/a/b~1c/2", 3),
            ("/a/b~1c/2/d", 3),
            ("/a/b~1c/2/e", 4),
            ("/a/b~1c/2/e/0", 5),
            ("/z", 6),
        ):
            self.assertEqual(line_of(self.TEXT, pointer), line, pointer)

    def test_absent_pointer_gives_the_nearest_parent(self):
        self.assertEqual(line_of(self.TEXT, "/a/b~1c/2/nope"), 3)
        self.assertEqual(line_of(self.TEXT, "/a/b~1c/9"), 1)
        self.assertEqual(line_of(self.TEXT, "/nope"), 1)


if __name__ == "__main__":
    unittest.main()
