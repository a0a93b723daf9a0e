"""The agent skill is fresh, well-formed and true, in its three forms; it overwrites nothing that is
not its own.
"""

import contextlib
import functools
import io
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

from recipes.answers import guide
from recipes.commands import registry
from recipes.evidence.contrasts import doubtful
from recipes.picker.limits import Constraints
from recipes.show import bundle, situation, skill, toolbox
from recipes.terms.tasks import parse_mix
from tests.support import slow

from . import support

SUMMARIES = {name: command.summary for name, command in registry.COMMANDS.items()}
TABLE = re.compile(r"\b([a-z][\w-]*\.[a-z]\w*[\w-]*)(?:, arXiv | \()(\d{4}\.\d{4,5})")


@functools.cache
def value():
    """The guide, gathered once for all tests (it picks a recipe per family)."""
    return guide.gather(support.library())


@functools.cache
def files():
    return bundle.files(support.library(), value(), SUMMARIES)


def run(*argv):
    """A command with the guide that is there already."""
    ready = value()
    with mock.patch.object(guide, "gather", lambda library: ready):
        return support.call(*argv)


def check_head(case, text, name):
    """Agent Skills: name (lower case, digits, single hyphens, at most 64), description (at most
    1024), known keys, strings in metadata.
    """
    head = re.match(r"---\n(.*?)\n---\n", text, re.S)[1]
    keys = re.findall(r"^([a-z-]+):", head, re.M)
    case.assertEqual(keys, ["name", "description", "compatibility", "metadata"])
    found = re.search(r"^name: (.*)$", head, re.M)[1]
    case.assertEqual(found, name)
    case.assertRegex(found, r"^[a-z0-9]+(-[a-z0-9]+)*$")
    case.assertLessEqual(len(found), 64)
    description = json.loads(re.search(r"^description: (.*)$", head, re.M)[1])
    case.assertTrue(0 < len(description) <= 1024)
    case.assertIn("Use it when", description)
    case.assertLessEqual(len(json.loads(re.search(r"^compatibility: (.*)$", head, re.M)[1])), 500)
    for line in head[head.index("metadata:") :].splitlines()[1:]:
        case.assertRegex(line, r'^  [a-z]+: ".*"$')
    case.assertLess(text.count("\n"), 500)
    case.assertLess(len(text.encode()), 40_000)


@slow
class Skill(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.text = (support.ROOT / "outputs" / "skill-vlm-recipe-picker.md").read_text(
            encoding="utf-8"
        )

    def test_it_is_what_the_evidence_gives(self):
        self.assertEqual(skill.build(support.library(), value(), SUMMARIES), self.text)

    def test_head(self):
        check_head(self, self.text, "vlm-recipe-picker")

    def test_every_citation_is_a_table_with_its_arxiv_id(self):
        known = {table.id: table.arxiv for paper in support.papers() for table in paper.tables}
        cited = TABLE.findall(self.text)
        self.assertGreater(len(cited), 100)
        for table, arxiv in cited:
            self.assertEqual(known.get(table), arxiv, table)

    def test_each_family_has_what_pick_answers_under_the_limits_it_states(self):
        """The very recipe, its gain, cost and memory; within the memory that is stated."""
        said = re.search(r"nothing else said: (.*?) \(bf16\)", self.text)[1]
        for family in support.library().words.families():
            part = re.search(rf"### {family} \(.*?\n\n(.*?)\n\n", self.text, re.S)[1]
            answer = support.call_json("pick", "--tasks", family, "--top", "1")
            best = answer["recipes"][0]
            self.assertEqual(answer["limits"]["text"], said)
            for axis in ("encoder", "connector", "llm", "data"):
                label = "LLM" if axis == "llm" else axis
                self.assertIn(f"- {label} `{best['recipe'][axis]}`", part)
            self.assertIn(f"{best['visual_tokens']:g} visual tokens", part)
            self.assertIn(f"expected {best['score']['expected']:+.1f} ", part)
            self.assertIn(f"{best['memory_gb']:.0f} GB", part)
            self.assertLessEqual(best["memory_gb"], answer["limits"]["memory_gb"])
            self.assertIn(f"adopt or train: {(answer['adopt'] or {}).get('verdict', 'no')}", part)
        room = support.library().words.records("hardware")[guide.LIMITS.device]["memory_gb"]
        self.assertEqual(guide.ROOM, room)

    def test_released_models_by_size_are_those_of_models(self):
        part = self.text[self.text.index("## Adopt") : self.text.index("## What each axis")]
        for family, found in value().released.items():
            if not any(found):
                self.assertNotIn(f"| {family} |", part)
                continue
            line = re.search(rf"^\| {family} \| (.*) \|$", part, re.M)[1].split(" | ")
            self.assertEqual(len(line), len(guide.SIZES))
            for one, cell in zip(found, line):
                self.assertIn(cell if cell in ("-", "same") else one.model, cell)
        argv = ("models", "--under", "9B", "--tasks", "documents")
        first = support.call_json(*argv)["models"][0]["name"]
        self.assertEqual(value().released["ocr-document"][guide.SIZES.index(9.0)].model, first)

    def test_every_command_is_there_and_every_family(self):
        for name in registry.COMMANDS:
            self.assertIn(f"\n| {name} | ", self.text)
        for family in support.library().words.families():
            self.assertIn(f"### {family} (", self.text)

    def test_examples_run_and_print_the_keys_that_are_named(self):
        block = re.search(r"## Commands\n.*?```\n(.*?)```", self.text, re.S)[1].splitlines()
        tools = {name: tool for name, tool in toolbox.TOOLS.items() if tool.needs is None}
        self.assertEqual([line.split()[2] for line in block], list(tools))
        for line in block:
            argv = shlex.split(line)[2:]
            code, out, err = support.call(*argv)
            self.assertEqual((code, err), (0, ""), line)
            for key in tools[argv[0]].keys:
                self.assertTrue(has(json.loads(out), key), (line, key))

    def test_examples_that_need_something_can_be_parsed(self):
        for tool in toolbox.TOOLS.values():
            name, *rest = shlex.split(tool.example)
            registry.parser_of(name).parse_args(rest)

    def test_rules_are_backed_or_say_that_they_are_not(self):
        rules = self.text[self.text.index("## Hard rejects") : self.text.index("## Famous claims")]
        self.assertEqual(
            len(re.findall(r"^\d+\. \*\*", rules, re.M)), len(guide.rules(support.library().words))
        )
        self.assertEqual(
            len(re.findall(r"^   Backing|Unbacked", rules, re.M)),
            len(guide.rules(support.library().words)),
        )
        self.assertEqual(
            len(re.findall(r"^   Rows: ", rules, re.M)),
            sum(len(rule.proofs) for rule in guide.rules(support.library().words)),
        )
        self.assertNotIn("no longer show it", rules)

    def test_rules_say_what_model_and_rows_say(self):
        for one in value().rules:
            self.assertTrue(one.holds, one.rule.title)
            if one.rule.expect == "worse":
                self.assertLess(one.mix.p_better, 0.1, one.rule.title)
            for cells in one.cells:
                table = support.table_of(cells.proof.table)
                rows = {row.arm: row for row in table.rows}
                for key, before, after in cells.cells:
                    self.assertEqual(
                        (rows[cells.proof.before].scores[key], rows[cells.proof.after].scores[key]),
                        (before, after),
                    )
                    self.assertFalse(
                        doubtful(rows[cells.proof.before], key)
                        or doubtful(rows[cells.proof.after], key)
                    )

    def test_a_rule_that_the_rows_do_not_show_says_so(self):
        rule = guide.rules(support.library().words)[0]
        turned = rule._replace(proofs=(rule.proofs[0]._replace(shows="better"),))
        one = guide.backed(support.library(), turned)
        self.assertFalse(one.holds)
        self.assertIn("no longer show it", "\n".join(skill.backing(1, one)))

    def test_failing_claims_are_those_of_the_audit(self):
        audit = support.call_json("claims")
        failing = [
            c["id"]
            for c in audit["claims"]
            if c["verdict"] in ("contradicted", "not in the cited source")
        ]
        part = self.text[
            self.text.index("## Famous claims") : self.text.index("## Training stages")
        ]
        self.assertEqual(re.findall(r"^- (\w+), ", part, re.M), failing)

    def test_numbers_of_the_tables_are_those_of_swap(self):
        mix = support.call_json("swap", "7B", "13B", "--tasks", "documents")["mix"]
        entry = next(
            e for e in value().families["ocr-document"].entries if e.usual.label == "LLM 7B -> 13B"
        )
        self.assertAlmostEqual(entry.mix.expected, mix["expected"], places=4)
        self.assertAlmostEqual(entry.mix.low, mix["interval"]["low"], places=4)
        self.assertIn(skill.row(entry), "\n".join(files().values()))

    def test_what_helps_is_in_the_order_of_its_gain(self):
        for one in value().families.values():
            gains = [entry.mix.expected for entry in one.entries]
            self.assertEqual(gains, sorted(gains, reverse=True))
            for entry in one.entries:
                for source in entry.sources:
                    self.assertTrue(0 <= source.better <= source.of)

    def test_papers_to_read_add_something_and_differ(self):
        found = value().reading
        self.assertEqual(len({one.paper.key for one in found}), guide.READ)
        self.assertTrue(all(one.adds > 0 for one in found))
        self.assertEqual(found[0].adds, max(one.adds for one in found))


def has(data, path):
    """Is a path such as recipes[].score.expected there (lists by their first entry)?"""
    for part in path.split("."):
        name = part.removesuffix("[]")
        if not isinstance(data, dict) or name not in data:
            return False
        data = data[name]
        if part.endswith("[]"):
            if not data:
                return False
            data = data[0]
    return True


# a small space: one visual part and one LLM
QUICK = (
    "--tasks",
    "mmmu=2,counting",
    "--fix",
    "encoder=siglip",
    "--fix",
    "connector=mlp-2x-gelu",
    "--fix",
    "resolution=384",
    "--fix",
    "llm=qwen2-7b",
)


@slow
class Situation(unittest.TestCase):
    def test_a_filled_card(self):
        code, text, err = support.call(
            "skill",
            "--tasks",
            "documents",
            "--budget",
            "500 A100-hours",
            "--latency",
            "300ms on L4",
            "--memory",
            "24GB",
        )
        self.assertEqual((code, err), (0, ""))
        check_head(self, text, "vlm-recipe-ocr-document")
        picked = support.call_json(
            "pick",
            "--tasks",
            "documents",
            "--budget",
            "500 A100-hours",
            "--latency",
            "300ms on L4",
            "--memory",
            "24GB",
            "--top",
            "1",
        )
        best = picked["recipes"][0]
        card = text[text.index("## Recipe card") : text.index("## What helps here")]
        for name in (
            "task mix",
            "encoder",
            "connector",
            "LLM",
            "data",
            "resolution",
            "stage 1",
            "stage 2",
            "expected",
            "cost",
            "ablate first",
            "unbacked",
        ):
            self.assertRegex(card, rf"(?m)^- {name}: .+")
        for axis in ("encoder", "connector", "llm", "data"):
            self.assertIn(f"`{best['recipe'][axis]}`", card)
        for entry in best["citations"]:
            self.assertIn(entry["why"], card)
        self.assertIn(f"{best['score']['expected']:+.1f} of 100 (80%", card)
        self.assertIn(f"TTFT {best['latency']['ttft_ms']:,.0f} ms", card)
        for delta in best["deltas"]:
            self.assertIn(f"| {delta['benchmark']} | ", card)
        for family in ("chart", "video"):
            self.assertNotIn(f"### {family}", text)
        for line in re.findall(r"^python3 main.py .*$", text, re.M):
            name, *rest = shlex.split(line)[2:]
            registry.parser_of(name).parse_args(rest)
        self.assertIn(
            "python3 main.py pick --tasks documents --budget '500 A100-hours' --latency '300ms on"
            " L4' --memory 24GB --json",
            text,
        )

    def test_to_a_file_and_as_json(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "s.md")
            answer = support.call_json("skill", *QUICK, "--out", path)
            text = pathlib.Path(path).read_text(encoding="utf-8")
            self.assertEqual((answer["path"], answer["lines"]), (path, text.count("\n")))
            check_head(self, text, "vlm-recipe-mmmu-counting")
            self.assertEqual(support.call_json("skill", *QUICK)["text"], text)
            self.assertEqual(support.call("skill", *QUICK, "--out", path, "--check")[0], 0)
            self.assertEqual(
                support.call(
                    "skill", *QUICK, "--avoid", "data=cambrian-7m", "--out", path, "--check"
                )[0],
                1,
            )

    def test_nothing_fits(self):
        code, out, err = support.call("skill", "--tasks", "documents", "--memory", "1GB")
        self.assertEqual((code, out), (2, ""))
        self.assertIn("no recipe meets all constraints: memory: at most 1 GB", err)

    def test_names_of_mixes(self):
        words = support.library().words
        every = ",".join(words.families())
        for text, name in (
            ("documents", "vlm-recipe-ocr-document"),
            ("mmmu=1,mathvista=2", "vlm-recipe-mmmu-mathvista"),
            (every, None),
        ):
            found = situation.situation_name(parse_mix(text, words))
            self.assertRegex(found, r"^[a-z0-9]+(-[a-z0-9]+)*$")
            self.assertLessEqual(len(found), 64)
            self.assertIn(found, (name or found,))

    def test_bad_input(self):
        for argv, said in (
            (("--tasks", "no-such-task"), "no-such-task"),
            (("--tasks", "documents", "--budget", "many"), "many"),
            (("--tasks", "documents", "--out", "/no/such/folder/s.md"), "is not there"),
            (("--bundle", "x", "--out", "y"), "leave out --out"),
            (("--bundle", "x", "--tasks", "documents"), "leave out --tasks"),
            (("--tasks", "documents", "--check"), "name the file"),
            (("--fix", "colour=red"), "colour"),
            (("--bundle", "/no/such/folder/x"), "is not there"),
            (("--out", "/no/such/s.md"), "is not there"),
        ):
            code, out, err = run("skill", *argv)
            self.assertEqual((code, out), (2, ""), argv)
            self.assertEqual(err.count("\n"), 1)
            self.assertIn(said, err)

    def test_unbacked_says_why(self):
        entry = {"table": "t", "tasks": "mix", "better": 1, "of": 2}
        self.assertIsNone(skill.unbacked([entry]))
        self.assertEqual(skill.unbacked([{**entry, "table": None}]), "no table")
        self.assertEqual(skill.unbacked([{**entry, "tasks": "other"}]), "only on other tasks")
        self.assertIn("against", skill.unbacked([{**entry, "better": 0}, {**entry, "better": 0}]))

    def test_limits_in_words(self):
        library = support.library()
        self.assertIn("no limits", skill.said_limits(Constraints(), library))
        self.assertEqual(
            skill.said_limits(guide.LIMITS, library), "500 A100-hours, L4, 24 GB: assumed (bf16)"
        )


@slow
class Bundle(unittest.TestCase):
    def test_the_folder_form(self):
        made = files()
        families = support.library().words.families()
        self.assertEqual(
            set(made),
            {
                "SKILL.md",
                "scripts/ask.py",
                "references/evidence.md",
                "references/claims.md",
                *(f"references/{family}.md" for family in families),
            },
        )
        check_head(self, made["SKILL.md"], skill.NAME)
        linked = set(re.findall(r"\]\((references/[^)]*)\)", made["SKILL.md"]))
        self.assertEqual(linked, {name for name in made if name.startswith("references/")})
        for name, text in made.items():
            self.assertIn(skill.MARK, text[:4096], name)
        for paper in support.papers():
            for table in paper.tables:
                self.assertIn(f"\n| {table.id} | ", made["references/evidence.md"])
        for claim in support.call_json("claims")["claims"]:
            self.assertIn(f"- {claim['id']}, **{claim['verdict']}**", made["references/claims.md"])
        known = {table.id: table.arxiv for paper in support.papers() for table in paper.tables}
        for table, arxiv in TABLE.findall("\n".join(made.values())):
            self.assertEqual(known.get(table), arxiv, table)

    def test_writing_it_again_gives_the_same_bytes(self):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder, "skills", "vlm-recipe-picker")
            for _ in range(2):
                code, out, err = run("skill", "--bundle", os.path.join(folder, "skills"))
                self.assertEqual((code, err), (0, ""))
            self.assertEqual(
                {
                    str(p.relative_to(root)).replace(os.sep, "/"): p.read_text(encoding="utf-8")
                    for p in root.rglob("*")
                    if p.is_file()
                },
                files(),
            )
            self.assertEqual(
                run("skill", "--bundle", os.path.join(folder, "skills"), "--check")[0], 0
            )
            (root / "references" / "chart.md").write_text("changed")
            code, out, _ = run(
                "skill", "--bundle", os.path.join(folder, "skills"), "--check", "--json"
            )
            self.assertEqual(
                (code, json.loads(out)["stale"]), (1, [str(root / "references" / "chart.md")])
            )

    def test_somebody_elses_file_stays_and_nothing_is_written(self):
        with tempfile.TemporaryDirectory() as folder:
            theirs = pathlib.Path(folder, "vlm-recipe-picker", "references", "claims.md")
            theirs.parent.mkdir(parents=True)
            theirs.write_text("mine")
            code, _, err = run("skill", "--bundle", folder)
            self.assertEqual(code, 2)
            self.assertIn("was not written by this program", err)
            self.assertEqual(
                (theirs.read_text(), sorted(os.listdir(theirs.parent.parent))),
                ("mine", ["references"]),
            )
            self.assertEqual(run("skill", "--bundle", folder, "--force")[0], 0)
            self.assertIn(skill.MARK, theirs.read_text(encoding="utf-8"))
            path = pathlib.Path(folder, "notes.md")
            path.write_text("mine")
            for argv in (("--out", str(path)), ("--tasks", "documents", "--out", str(path))):
                self.assertEqual(run("skill", *argv)[0], 2)
                self.assertEqual(path.read_text(), "mine")

    def test_the_whole_skill_to_a_file(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "s.md")
            self.assertEqual(run("skill", "--out", str(path))[0], 0)
            self.assertEqual(
                path.read_bytes(),
                (support.ROOT / "outputs" / "skill-vlm-recipe-picker.md").read_bytes(),
            )
            self.assertEqual(run("skill", "--out", str(path), "--check")[0], 0)
            path.write_text("stale")
            self.assertEqual(run("skill", "--out", str(path), "--check")[0], 1)


@slow
class Script(unittest.TestCase):
    """scripts/ask.py, as an agent runs it."""

    def ask(self, *argv, cwd, **env):
        return subprocess.run(
            [sys.executable, str(support.ROOT / "recipes" / "show" / "ask.py"), *argv],
            capture_output=True,
            text=True,
            cwd=cwd,
            check=False,
            env={"PATH": "", "SYSTEMROOT": os.environ.get("SYSTEMROOT", ""), **env},
        )

    def test_it_finds_the_program_and_adds_json(self):
        with tempfile.TemporaryDirectory() as folder:
            for cwd, env in (
                (folder, {"VLM_RECIPE_PICKER": str(support.ROOT)}),
                (support.ROOT / "tests" / "data", {}),
            ):
                done = self.ask(
                    "tokens", "--model", "qwen2-vl", "--image", "448x280", cwd=cwd, **env
                )
                self.assertEqual(
                    (done.returncode, json.loads(done.stdout)["images"][0]["visual_tokens"]),
                    (0, 160),
                )
            done = self.ask("swap", "CLIP", "nonsense", cwd=support.ROOT)
            self.assertEqual((done.returncode, done.stdout), (2, ""))

    def test_where_it_is_not_installed_it_says_how_to_get_it(self):
        with tempfile.TemporaryDirectory() as folder:
            # any main.py is not the program
            pathlib.Path(folder, "main.py").write_text("raise SystemExit('not ours')")
            for env in ({}, {"VLM_RECIPE_PICKER": folder}):
                done = self.ask("check", cwd=folder, **env)
                self.assertEqual((done.returncode, done.stdout), (3, ""))
                self.assertIn("pip install .", done.stderr)
                self.assertEqual(done.stderr.count("\n"), 1)

    def test_the_copy_is_the_file(self):
        self.assertEqual(
            files()["scripts/ask.py"],
            (support.ROOT / "recipes" / "show" / "ask.py").read_text(encoding="utf-8"),
        )
        with contextlib.redirect_stderr(io.StringIO()):
            compile(files()["scripts/ask.py"], "ask.py", "exec")


if __name__ == "__main__":
    unittest.main()
