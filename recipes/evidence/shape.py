"""What a file of tables may hold: which keys, of which kind, in which bounds.

In: a parsed file that is not trusted. Out: EvidenceError (rule `schema` or `metric`) at the pointer
of the first thing that is wrong, else nothing. Whatever passes can be read by every command. Keys
that are not named here are let through: a table may say more than the program reads.
"""

from collections.abc import Callable, Mapping

from ..base.reading import EvidenceError

Test = Callable[[object], bool]
MOST = 1e12  # no score, count or size of a paper is larger

TEXTS = frozenset(("encoder", "connector", "llm", "data", "tiling", "training", "architecture"))

# (smallest, largest) that a recipe can have; what lies outside is a slip of the pen
NUMBERS = {
    "llm_params_b": (1e-3, 1e5),
    "visual_tokens": (1, 1e6),
    "data_size": (0, 1e13),
    "tokens_per_tile": (1, 1e6),
    "sub_image_resolution": (16, 16384),
    "n_sub_images": (1, 1000),
}


def is_text(value) -> bool:
    return isinstance(value, str)


def is_object(value) -> bool:
    return isinstance(value, dict)


def is_list(value) -> bool:
    return isinstance(value, list)


def is_number(value) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= MOST


def is_whole(value) -> bool:
    return isinstance(value, int) and is_number(value)


def is_flag(value) -> bool:
    return isinstance(value, bool)


def are_texts(value) -> bool:
    return isinstance(value, list) and all(map(is_text, value))


def is_one_of(*known: str) -> Test:
    """One of these texts."""
    return named(lambda value: is_text(value) and value in known, f"one of {', '.join(known)}")


def are_among(*known: str) -> Test:
    """A list of some of these texts."""
    test = lambda value: are_texts(value) and set(value) <= set(known)
    return named(test, f"a list of some of {', '.join(known)}")


def named(test: Test, what: str) -> Test:
    """A test that WHAT knows."""
    WHAT[test] = what
    return test


def is_scalar(value) -> bool:
    return is_text(value) or is_flag(value) or is_number(value)


WHAT: dict[Test, str] = {
    is_text: "a text",
    is_object: "an object",
    is_list: "a list",
    is_number: "a number",
    is_whole: "a whole number",
    is_flag: "true or false",
    are_texts: "a list of texts",
}

# key -> its test; `!` behind it: needed, otherwise it may be left out or null
FILE = {"paper!": is_object, "tables!": is_list, "transcription": is_object}
PAPER = {
    "key!": is_text,
    "short": is_text,
    "title": is_text,
    "authors": is_text,
    "year": is_whole,
    "arxiv": is_text,
    "version": is_text,
    "venue": is_text,
}
TRANSCRIPTION = {"grade": is_text}
TABLE = {
    "id!": is_text,
    "locator!": is_text,
    "metrics!": is_object,
    "rows!": is_list,
    "setting!": is_object,
    "varies!": are_texts,
    "paper": is_text,
    "arxiv": is_text,
    "topic": is_text,
    "section": is_text,
    "protocol": is_text,
    "notes": is_text,
    "source": is_text,
    "grade": is_text,
    "same_runs_note": is_text,
    "claims": is_list,
    "accepted": is_list,
    "family": is_object,
    "trained": is_object,
    "confounds": is_list,
}
METRIC = {
    "benchmark!": is_text,
    "split": is_text,
    "unit": is_text,
    "higher_is_better": is_flag,
    "mean_of": are_texts,
    "role": is_text,
    "shots": is_whole,
}
ROW = {
    "arm!": is_text,
    "set": is_object,
    "scores!": is_object,
    "run": is_text,
    "doubt": is_object,
    "scores_std": is_object,
    "scores_se": is_object,
    "trained": is_object,
}
# what is said of how a row was trained
TRAINED = {
    "stages": is_list,
    "llm_tuning": is_one_of("full", "lora", "frozen"),
    "encoder_tuned_in": are_among("pre-training", "instruction tuning"),
    "extra_stage": is_flag,
}
STAGE = {
    "trains": are_among("encoder", "connector", "llm", "other"),
    "samples": is_number,
    "steps": is_number,
    "lr": is_object,
}
CLAIM = {"metric!": is_text, "from!": is_text, "to!": is_text}
FAMILY = {"name!": is_text, "moves_along!": is_object}
ACCEPTED = {"rule": is_text, "at": is_text, "why": is_text}


def check_shape(data: Mapping, file: str) -> None:
    """Refuse a file (format 2) that some command could not read."""

    def refuse(pointer: str, message: str, rule: str = "schema"):
        raise EvidenceError(file, pointer, message, rule)

    def keys(value, fields: Mapping[str, Test], at: str, what: str) -> None:
        if not is_object(value):
            refuse(at, f"{what} is missing or not an object")
        for name, test in fields.items():
            key = name.rstrip("!")
            item = value.get(key)
            if (item is not None or name.endswith("!")) and not test(item):
                refuse(f"{at}/{key}", f"{key} is missing or not {WHAT[test]}")

    def each(value, at: str):
        for number, item in enumerate(value or ()):
            yield f"{at}/{number}", item

    def trained(value, at: str) -> None:
        said = value.get("trained") or {}
        keys(said, TRAINED, f"{at}/trained", "trained")
        for here, stage in each(said.get("stages"), f"{at}/trained/stages"):
            keys(stage, STAGE, here, "the stage")
            for part, rate in (stage.get("lr") or {}).items():
                if not (is_number(rate) and part in (stage.get("trains") or ())):
                    refuse(f"{here}/lr/{_segment(part)}", "no number, or of a part not trained")

    keys(data, FILE, "", "the file")
    keys(data["paper"], PAPER, "/paper", "paper")
    keys(data.get("transcription") or {}, TRANSCRIPTION, "/transcription", "transcription")
    for at, table in each(data["tables"], "/tables"):
        keys(table, TABLE, at, "the table")
        _setting(table["setting"], f"{at}/setting", refuse)
        trained(table, at)
        for here, together in each(table.get("confounds"), f"{at}/confounds"):
            if not are_texts(together):
                refuse(here, "not a list of axes")
        for name, metric in table["metrics"].items():
            here = f"{at}/metrics/{_segment(name)}"
            keys(metric, METRIC, here, "the metric")
            _bounds(metric.get("max"), f"{here}/max", refuse)
        for here, row in each(table["rows"], f"{at}/rows"):
            keys(row, ROW, here, "the row")
            _setting(row.get("set") or {}, f"{here}/set", refuse)
            _scores(row, table["metrics"], here, refuse)
            _doubt(row.get("doubt"), f"{here}/doubt", refuse)
            trained(row, here)
        for here, claim in each(table.get("claims"), f"{at}/claims"):
            keys(claim, CLAIM, here, "the claim")
            if not is_number(claim.get("delta")):
                refuse(f"{here}/delta", "delta is not a number")
        for here, exception in each(table.get("accepted"), f"{at}/accepted"):
            keys(exception, ACCEPTED, here, "the exception")
        if table.get("family") is not None:
            keys(table["family"], FAMILY, f"{at}/family", "family")


def _segment(key: str) -> str:
    """A key as a JSON pointer segment (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1")


def _bounds(top, at: str, refuse: Callable) -> None:
    if top is not None and not (is_number(top) and 0 < top < 1e9):
        refuse(at, f"max {str(top)[:40]!r} is not a positive number")


def _scores(row: Mapping, metrics: Mapping, at: str, refuse: Callable) -> None:
    """Scores, their deviations and standard errors, under the names of the table's metrics."""
    for key in ("scores", "scores_std", "scores_se"):
        for name, value in (row.get(key) or {}).items():
            here = f"{at}/{key}/{_segment(name)}"
            if key != "scores_std" and name not in metrics:
                refuse(here, f"the table has no metric {name!r}", "metric")
            if key == "scores" and value is not None and not is_number(value):
                refuse(here, "neither a number (below 1e12) nor null")
            if key == "scores_se" and not (is_number(value) and 0 <= value < 1e9):
                refuse(here, "a standard error is a number from zero")


def _doubt(doubt, at: str, refuse: Callable) -> None:
    if doubt is not None:
        if doubt.get("cells") != "*" and not are_texts(doubt.get("cells")):
            refuse(f"{at}/cells", 'cells (a list of metrics, or "*") is missing or not a list')
        if not is_text(doubt.get("why")):
            refuse(f"{at}/why", "why is missing or not a text")


def _setting(setting: Mapping, at: str, refuse: Callable) -> None:
    """Recipe fields of the wrong kind would make features that mean nothing; other settings are
    texts, numbers or flags, or lists of them.
    """
    for key, value in setting.items():
        if value is None:
            continue
        wrong = None
        if key in TEXTS:
            wrong = None if is_text(value) else f"{key} is missing or not a text"
        elif key in NUMBERS or key == "resolution" and not is_text(value):
            low, high = NUMBERS.get(key, (16, 16384))
            if not (is_number(value) and low <= value <= high):
                wrong = f"{key} {str(value)[:40]!r} is not a number between {low:g} and {high:g}"
        elif key == "frozen_encoder" and not is_flag(value):
            wrong = f"frozen_encoder {str(value)[:40]!r} is neither true nor false"
        elif not (is_scalar(value) or is_list(value) and all(map(is_scalar, value))):
            wrong = f"{key} {str(value)[:40]!r} is neither a text, a number, a flag nor a list"
        if wrong:
            refuse(f"{at}/{_segment(key)}", wrong)
