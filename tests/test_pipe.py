"""From recipe to run: `pick … --json | export - --rank exportable --to PROGRAM`, every program."""

import json
import unittest

from recipes.exchange.target import Target, names
from tests import support
from tests.support import answered, call, call_json, piped, slow

FAMILIES = (
    *("documents", "charts", "reasoning", "math", "general-vqa", "vision-centric-spatial"),
    *("grounding", "counting", "ui-agent", "video"),
)


class Pipe(unittest.TestCase):
    def programs(self) -> list[str]:
        return names(support.library().words)

    def written(self, answer: dict, program: str, *argv: str) -> tuple[int, str, str]:
        return piped(json.dumps(answer), "export", "-", "--to", program, *argv)

    def check(self, family: str) -> None:
        """Each program writes the recipe that the pick names for it, or says what it lacks."""
        answer = json.loads(answered("pick", "--tasks", family, "--top", "1", "--json")[1])
        entries = {one["target"]: one for one in answer["exportable_by"]}
        self.assertEqual(set(entries), set(self.programs()))
        for program, entry in entries.items():
            code, out, err = self.written(answer, program, "--rank", "exportable")
            if entry.get("why"):
                self.assertEqual(code, 2, (family, program))
                self.assertIn(entry["why"], err)
                continue
            self.assertEqual((code, err), (0, ""), (family, program))
            target = Target(program, support.library().words)
            if "model" in entry:
                named = target.goes_on_from()[entry["model"]]
            else:
                named = entry["recipe"]["llm"]
            self.assertIn(named, out, (family, program))

    def test_documents_for_every_program(self):
        self.check("documents")

    @slow
    def test_ten_families_for_every_program(self):
        for family in FAMILIES:
            self.check(family)

    def test_what_it_cannot_express_is_said(self):
        """No LLM of LLaVA's own program fits 4 GB."""
        answer = call_json("pick", "--tasks", "documents", "--memory", "4GB", "--top", "1")
        (llava,) = (one for one in answer["exportable_by"] if one["target"] == "llava")
        self.assertIsNone(llava["recipe"])
        self.assertIn("cannot express", llava["why"])
        code, _, err = self.written(answer, "llava", "--rank", "exportable")
        self.assertEqual(code, 2)
        self.assertIn(llava["why"], err)

    def test_the_first_recipe_is_refused_with_what_to_type_instead(self):
        answer = json.loads(answered("pick", "--tasks", "documents", "--top", "1", "--json")[1])
        code, _, err = self.written(answer, "nanovlm")
        self.assertEqual(code, 2)
        self.assertIn("--rank exportable", err)

    def test_why_lists_the_programs(self):
        text = call("pick", "--tasks", "documents", "--why")[1]
        self.assertIn("what each training program writes", text)
        for program in self.programs():
            self.assertIn(f"\n{program} ", text)

    def test_who_puts_no_parts_together_is_not_asked_for_a_recipe(self):
        code, _, err = call("pick", "--tasks", "documents", "--trainable-with", "ms-swift")
        self.assertEqual((code, err.count("\n")), (2, 1))
        self.assertIn("trains a released model further", err)
