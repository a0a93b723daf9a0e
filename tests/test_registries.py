"""Licences and the skill's guide are data that `check` sees."""

import copy
import unittest

from recipes.answers import guide
from recipes.evidence.registries import check_guide, check_licences
from recipes.terms.licences import UNREAD, licence
from tests import support


class Words:
    """A vocabulary with one registry file of its own."""

    def __init__(self, name: str, data: dict):
        self.name, self.data, self.own = name, data, support.library().words

    def registry(self, name: str) -> dict:
        return self.data if name == self.name else self.own.registry(name)

    def __getattr__(self, name: str):
        return getattr(self.own, name)


def fresh(name: str) -> dict:
    return copy.deepcopy(support.library().words.registry(name))


class Licences(unittest.TestCase):
    def test_one_list_for_models_and_llms(self):
        words = support.library().words
        self.assertEqual(licence(words, "Gemma Terms of Use").commercial, "conditions")
        self.assertEqual(licence(words, "Qwen Research").commercial, "no")
        self.assertEqual(licence(words, "Apache 2.0").commercial, "yes")
        self.assertEqual(licence(words, "Apache-2.0").commercial, "yes")
        # nothing is read into a name that begins like one that was read
        self.assertIs(licence(words, "Apache 2.0 with a clause of our own"), UNREAD)
        self.assertIs(licence(words, None), UNREAD)

    def test_each_fault_is_found(self):
        self.assertEqual(list(check_licences(support.library().words)), [])
        for change, place in (
            (lambda rows: rows.append(dict(rows[0])), "text"),
            (lambda rows: rows[0].update(text="nobody's"), "text"),
            (lambda rows: rows[0].update(commercial="maybe"), "commercial"),
            (lambda rows: rows[0].update(open_source="yes"), "open_source"),
            (lambda rows: rows[0].update(why=""), "why"),
        ):
            data = fresh("licences")
            change(data["licences"])
            found = list(check_licences(Words("licences", data)))
            self.assertEqual([pointer.rpartition("/")[2] for pointer, _ in found], [place])


class Guide(unittest.TestCase):
    def test_it_is_read(self):
        words = support.library().words
        self.assertGreater(len(guide.usual(words)), 10)
        backed = [rule for rule in guide.rules(words) if rule.expect]
        self.assertGreater(sum(len(rule.proofs) for rule in backed), 10)

    def test_each_fault_is_found(self):
        tables = {table.id: table for paper in support.papers() for table in paper.tables}
        self.assertEqual(list(check_guide(support.library().words, tables)), [])
        for change, place in (
            (lambda d: d["changes"][0]["from"].update(encoder="no-such"), "/changes/0/from"),
            (lambda d: d["changes"][0]["to"].update(colour="red"), "/changes/0/to"),
            (lambda d: d["rules"][0].update(tasks="no-such-task"), "/rules/0/tasks"),
            (lambda d: d["rules"][0].update(expect="better"), "/rules/0/expect"),
            (lambda d: d["rules"][0].update(title=""), "/rules/0"),
            (lambda d: d["rules"][0]["proofs"][0].update(table="x.y"), "/rules/0/proofs/0/table"),
            (lambda d: d["rules"][0]["proofs"][0].update(after="x"), "/rules/0/proofs/0/after"),
            (lambda d: d["rules"][0]["proofs"][0].update(shows="x"), "/rules/0/proofs/0/shows"),
            (
                lambda d: d["rules"][0]["proofs"][0]["metrics"].append("x"),
                "/rules/0/proofs/0/metrics",
            ),
        ):
            data = fresh("guide")
            change(data)
            found = [pointer for pointer, _ in check_guide(Words("guide", data), tables)]
            self.assertEqual(set(found), {place})
