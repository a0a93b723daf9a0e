"""What the tests of questions share: phrasings, words, what a question becomes. Holds no test."""

import json

from recipes.asking import door as question
from recipes.asking import language, reader

from . import support

CASES = [
    json.loads(line)
    for line in (support.DATA / "questions.jsonl").read_text(encoding="utf-8").splitlines()
]


LANGUAGE = language.Language(
    json.loads((support.ROOT / "tables/registry/language.json").read_text(encoding="utf-8"))
)


def understood(text: str):
    """What a question becomes: a list of argv, or its error."""
    try:
        return [list(question.understand(text, support.library().words).argv)]
    except question.Ambiguous as several:
        return [list(one.argv) for one in several.readings]
    except reader.QuestionError as error:
        return str(error)
