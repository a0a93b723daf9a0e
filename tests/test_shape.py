"""Tables that are not what they should be: refused at their place, or read by every command."""

import json
import os
import tempfile
import unittest

from recipes.base.reading import EvidenceError
from recipes.evidence.tables import parse_paper
from tests import fuzz, support

BENCHMARKS = support.library().words.records("benchmark")
RICH = fuzz.put(fuzz.TINY, ("tables", 0, "claims"), [])
RICH["transcription"] = {"grade": "full-text"}
RICH["tables"][0] |= {
    "accepted": [{"rule": "range", "at": "/rows/0", "why": "printed"}],
    "family": {"name": "mine", "moves_along": {"data": "more"}},
    "grade": "full-text",
    "claims": [{"metric": "mmmu", "from": "a", "to": "b", "delta": 1.0}],
    "confounds": [["encoder", "resolution"]],
    "trained": {"llm_tuning": "full"},
}
RICH["tables"][0]["rows"][0] |= {
    "run": "r1",
    "doubt": {"cells": ["mmmu"], "why": "blurred"},
    "scores_se": {"mmmu": 0.4},
    "scores_std": {"mmmu": 0.2},
    "trained": {
        "stages": [{"trains": ["connector"], "samples": 558000, "lr": {"connector": 1e-3}}],
        "encoder_tuned_in": ["pre-training"],
        "extra_stage": False,
    },
}
READERS = (
    ("check",),
    ("tables", "show", "mine.table1"),
    ("tables", "find", "clip"),
    ("swap", "clip", "siglip", "--benchmark", "mmmu", "--rows"),
)


def mutations():
    """Every place of the file with every wrong value: (path, value, file)."""
    for path in fuzz.places(RICH):
        for value in fuzz.WRONG:
            yield path, value, fuzz.put(RICH, path, value)


def refused(data) -> bool:
    """Is the file refused at a place of its own?"""
    try:
        parse_paper(data, "mine.json", BENCHMARKS)
    except EvidenceError as error:
        assert error.pointer == "" or error.pointer.startswith("/"), error
        return True
    return False


class Mutations(unittest.TestCase):
    def test_the_file_itself_is_read(self):
        self.assertFalse(refused(RICH))

    def test_a_wrong_value_is_refused_or_read(self):
        """No place of a file, whatever stands there, makes the reader fail."""
        verdicts = [refused(data) for _, _, data in mutations()]
        self.assertGreater(sum(verdicts), len(verdicts) / 2)

    def test_what_is_needed_or_typed_is_refused(self):
        table = ("tables", 0)
        for path, value in (
            ((*table, "metrics", "mmmu", "unit"), ["percent"]),
            ((*table, "rows", 0, "run"), {"a": 1}),
            ((*table, "varies"), [1]),
            ((*table, "protocol"), 7),
            ((*table, "notes"), ["x"]),
            ((*table, "rows", 0, "scores", "mmmu"), 1e308),
            ((*table, "setting", "llm"), 7),
            ((*table, "rows", 0, "set", "depth"), {"a": 1}),
            ((*table, "confounds", 0), "encoder"),
            ((*table, "trained", "llm_tuning"), "qlora"),
            ((*table, "rows", 0, "trained", "stages", 0, "trains"), ["projector"]),
            ((*table, "rows", 0, "trained", "stages", 0, "lr"), {"llm": 1e-3}),  # not trained
            (("paper", "short"), 1),
            (("paper", "year"), "2026"),
        ):
            with self.subTest(path):
                self.assertTrue(refused(fuzz.put(RICH, path, value)))

    @support.slow
    def test_what_is_let_through_is_read_by_every_command(self):
        let = [(path, value, data) for path, value, data in mutations() if not refused(data)]
        for path, value, data in let:
            with tempfile.TemporaryDirectory() as folder:
                with open(os.path.join(folder, "mine.json"), "w", encoding="utf-8") as file:
                    json.dump(data, file)
                for argv in READERS:
                    with self.subTest(path=path, value=value, argv=argv):
                        self.assertIsNone(fuzz.broken([*argv, "--tables", folder]))


class Hostile(unittest.TestCase):
    """A table in which every text would steer a terminal, or inject a line."""

    BAD = "\x1b[2J\u202e\x9b\n::error::x\r"

    def test_nothing_hostile_is_printed(self):
        data = RICH
        for path in list(fuzz.places(RICH)):
            value = data
            for key in path:
                value = value[key]
            keep = path[-1:] in (("key",), ("id",), ("benchmark",), ("format",), ("arxiv",))
            if isinstance(value, str) and not keep and "set" not in path[-2:]:
                data = fuzz.put(data, path, value + self.BAD)
        scores = data["tables"][0]["rows"][1]["scores"]
        scores[self.BAD] = 1.0
        data["tables"][0]["metrics"][self.BAD] = {"benchmark": "mmmu"}
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "mine.json"), "w", encoding="utf-8") as file:
                json.dump(data, file)
            for argv in (*READERS, ("check", "--format", "github"), ("check", "--json")):
                with self.subTest(argv):
                    self.assertIsNone(fuzz.broken([*argv, "--tables", folder]))
                    _, out, err = support.call(*argv, "--tables", folder)
                    for line in (out + err).split("\n"):
                        self.assertFalse(line.startswith("::error::x"), line)


if __name__ == "__main__":
    unittest.main()
