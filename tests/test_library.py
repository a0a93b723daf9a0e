"""The library reads each file once, and only the files that an answer needs."""

import functools
import json
import pathlib
import tempfile
import unittest
from unittest import mock

from recipes import library as library_module
from recipes.base.reading import EvidenceError
from recipes.evidence import tables
from recipes.library import Library, open_library
from tests import support

OWN = {
    "format": 2,
    "paper": {"key": "mine"},
    "tables": [
        {
            "id": "mine.t1",
            "locator": "Table 1",
            "varies": ["llm"],
            "setting": {"encoder": "clip-vit-l-14"},
            "metrics": {"mmmu": {"benchmark": "mmmu"}},
            "rows": [
                {"arm": "small", "set": {"llm": "vicuna-1.5-7b"}, "scores": {"mmmu": 35.0}},
                {"arm": "large", "set": {"llm": "vicuna-1.5-13b"}, "scores": {"mmmu": 36.5}},
            ],
        }
    ],
}


class Once(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.parsed: list[str] = []
        real = tables.parse_paper

        def parse_paper(data, file, *rest):
            self.parsed.append(pathlib.Path(file).name)
            return real(data, file, *rest)

        for patch in (
            mock.patch.object(tables, "parse_paper", parse_paper),
            # as in a new process
            mock.patch.object(
                library_module, "published", functools.cache(library_module.published.__wrapped__)
            ),
        ):
            patch.start()
            self.addCleanup(patch.stop)

    def own(self, table: str) -> Library:
        """A library with the user's table, under this id."""
        data = {**OWN, "tables": [{**OWN["tables"][0], "id": table}]}
        (self.folder / "mine.json").write_text(json.dumps(data))
        return Library([str(self.folder)])

    def test_each_paper_is_parsed_once_in_a_process(self):
        first = open_library().papers(["mm1", "m3"])
        whole = open_library().papers()
        self.assertEqual(len(self.parsed), len(set(self.parsed)))
        self.assertEqual(sorted(self.parsed), sorted(p.name for p in support.TABLES.glob("*.json")))
        (self.folder / "mine.json").write_text(json.dumps(OWN))
        Library([str(self.folder)]).papers()
        self.assertEqual(self.parsed.pop(), "mine.json")
        self.assertEqual(len(self.parsed), len(whole))
        self.assertTrue(all(any(one is other for other in whole) for one in first))

    def test_the_users_table_is_read_without_the_shipped_ones(self):
        self.assertEqual([paper.key for paper in self.own("mine.t1").own_papers()], ["mine"])
        self.assertEqual(self.parsed, ["mine.json"])

    def test_an_id_of_a_shipped_table_is_refused_and_only_its_file_is_parsed(self):
        with self.assertRaisesRegex(EvidenceError, "'mm1.*' stands in the published tables too"):
            self.own(support.raw_paper("mm1")["tables"][0]["id"]).own_papers()
        self.assertEqual(self.parsed, ["mine.json", "mm1.json"])

    def test_a_folder_without_tables_is_refused(self):
        with self.assertRaisesRegex(EvidenceError, "holds no table"):
            Library([str(self.folder)])
        code, _, err = support.call("swap", "clip", "siglip", "--tables", str(self.folder))
        self.assertEqual(code, 2)
        self.assertIn("holds no table", err)

    def test_another_directory_is_read_anew_by_each_library(self):
        (self.folder / "registry").symlink_to(support.TABLES / "registry")
        (self.folder / "m3.json").write_bytes((support.TABLES / "m3.json").read_bytes())
        for _ in range(2):
            Library(shipped=str(self.folder)).papers()
        self.assertEqual(self.parsed, ["m3.json", "m3.json"])


if __name__ == "__main__":
    unittest.main()
