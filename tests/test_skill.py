"""The agent skill is fresh, well-formed and true; the README's commands work as printed."""
import re
import shlex
import unittest

from recipes.report import skill

from . import support


class Skill(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.text = (support.ROOT / "outputs" / "skill-vlm-recipe-picker.md").read_text(encoding="utf-8")

    def test_it_is_what_the_evidence_gives(self):
        self.assertEqual(skill.build(support.library()), self.text)

    def test_frontmatter(self):
        """Agent Skills: name (lower case, digits, hyphens, at most 64), description (at most 1024), then known keys only."""
        head = re.match(r"---\n(.*?)\n---\n", self.text, re.S)[1]
        keys = re.findall(r"^([a-z-]+):", head, re.M)
        self.assertEqual(keys[:2], ["name", "description"])
        self.assertLessEqual(set(keys), {"name", "description", "license", "compatibility", "metadata"})
        name = re.search(r"^name: (.*)$", head, re.M)[1]
        self.assertRegex(name, r"^[a-z0-9]+(-[a-z0-9]+)*$")
        self.assertLessEqual(len(name), 64)
        self.assertLessEqual(len(re.search(r"^description: (.*)$", head, re.M)[1]), 1024)

    def test_every_citation_is_a_table_with_its_arxiv_id(self):
        known = {table.id: table.arxiv for paper in support.papers() for table in paper.tables}
        cited = re.findall(r"\b([a-z][\w-]*\.(?:table|figure|abl|section|visual|official|optimization)[\w-]*),? \(?arXiv (\d{4}\.\d{4,5})", self.text)
        self.assertGreater(len(cited), 40)
        for table, arxiv in cited:
            self.assertEqual(known.get(table), arxiv, table)

    def test_every_command_works(self):
        for line in self.text.splitlines():
            if line.startswith("python3 main.py ") and "changes.jsonl" not in line:
                code, _, err = support.call(*shlex.split(line)[2:])
                self.assertEqual((code, err), (0, ""), line)

    def test_rules_are_backed_or_say_that_they_are_not(self):
        rules = self.text[self.text.index("## Hard rejects"):self.text.index("## Training stages")]
        self.assertEqual(len(re.findall(r"^\d+\. \*\*", rules, re.M)), len(skill.RULES))
        self.assertEqual(len(re.findall(r"^   Backing", rules, re.M)), len(skill.RULES))
        self.assertIn("unbacked", rules)


class Readme(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.text = (support.ROOT / "README.md").read_text(encoding="utf-8")

    def test_commands_work(self):
        ran = 0
        for block in re.findall(r"```\n(.*?)```", self.text, re.S):
            for line in block.splitlines():
                if line.startswith("python3 main.py ") and "fit" not in line:
                    code, _, err = support.call(*shlex.split(line)[2:])
                    self.assertEqual((code, err), (0, ""), line)
                    ran += 1
        self.assertGreater(ran, 10)

    def test_printed_output_is_the_output(self):
        shown = re.findall(r"<!-- output: (.*?) -->\n```\n(.*?)```", self.text, re.S)
        self.assertTrue(shown)
        for command, output in shown:
            self.assertEqual(support.call(*shlex.split(command)[2:])[1], output, command)

    def test_counts(self):
        papers = support.papers()
        cells = sum(v is not None for p in papers for t in p.tables for r in t.rows for v in r.scores.values())
        self.assertIn(f"{len(papers)} papers, {sum(len(p.tables) for p in papers)} ablation tables and {cells:,} printed scores", self.text)


if __name__ == "__main__":
    unittest.main()
