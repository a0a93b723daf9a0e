"""Result files of evaluation harnesses -> readings: what each file says, in its own words and on
its own scale.

In: paths that a user named, and the data set names that VLMEvalKit's file names may hold. Out:
Readings, and for each file that cannot be used an EvidenceError that names it. Knows the layouts of
lmms-eval (`*_results.json`) and VLMEvalKit (`*_acc.csv`, `*_score.csv`, `*_score.json`,
`*_acc.json`, `status.json`); where those layouts were read is in tables/registry/harnesses.json.
Plain CSV is sheet.py. Does not know benchmarks or scales (scores.py), and opens nothing but JSON
and CSV.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal

from ..base.reading import EvidenceError, parse, read_text
from ..evidence.tables import escape
from . import sheet
from .readings import LMMS_EVAL, VLMEVALKIT, Reading, Source, count, number, short

# what is picked up in a folder
ENDINGS = ("_results.json", "_acc.csv", "_score.csv", "_score.json", "_acc.json")
NAMES = ("results.json", "status.json")
ACCEPTED = (
    "lmms-eval *_results.json; VLMEvalKit *_acc.csv, *_score.csv, *_score.json, *_acc.json,"
    " status.json; plain *.csv"
)
MAX_FILES, MAX_LEVELS, MAX_ENTRIES, MAX_CELLS = 200, 4, 20_000, 50_000
# the largest result file seen has 0.3 MB; parsed, JSON takes up to thirty times its size
MAX_JSON = 8_000_000
# VLMEvalKit: T20260101-120000, before that T20260101_G1a2b3c4d
RUN_FOLDER = re.compile(r"T(\d{8})(?:-\d{6}|_G([0-9a-fA-F]{4,40}))")
JUDGE = r"(?:gpt|chatgpt|o[134]|claude|gemini|qwen|deepseek|llama|glm|exact_matching)[\w.:-]*"
# VLMEvalKit: the column that names the row
LABELS = ("split", "Split", "Category", "Task&Skill", "Subject", "subject")
# … and those that count its questions
COUNTS = ("tot", "Samples")
# lmms-eval: how the arguments of a model name it, the first that is there
# (loggers/evaluation_tracker.py)
NAMED_BY = (
    "peft",
    "delta",
    "pretrained",
    "model",
    "model_version",
    "model_name",
    "model_id",
    "path",
    "engine",
)
# lmms-eval: standard errors as it spells them; the clustered one counts questions about one image
STDERRS = ("_stderr", "_stderr_clustered", "_stderr_clt")


def _word(value) -> str | None:
    """A version or commit, if it is one plain word."""
    return (
        value
        if isinstance(value, str) and re.fullmatch(r"[\w.@/+-]{1,80}", value, re.ASCII)
        else None
    )


def _day(digits: str) -> str | None:
    """20260131 -> 2026-01-31."""
    year, month, day = digits[:4], digits[4:6], digits[6:8]
    return (
        f"{year}-{month}-{day}"
        if "1900" < year < "2200" and "01" <= month <= "12" and "01" <= day <= "31"
        else None
    )


# --- files
# ------------------------------------------------------------------------------------------


def read_all(
    paths: Sequence[str], data_sets: Mapping[str, bool]
) -> tuple[list[Reading], list[EvidenceError]]:
    """The readings of all files, and of those that cannot be used why: one does not stop the
    others.
    """
    readings: list[Reading] = []
    problems: list[EvidenceError] = []
    seen: set[str] = set()
    for path in paths:
        try:
            files = result_files(path)
        except EvidenceError as error:
            problems.append(error)
            continue
        for file in files:
            if os.path.abspath(file) in seen:
                continue
            seen.add(os.path.abspath(file))
            try:
                readings += read(file, data_sets)
            except EvidenceError as error:
                problems.append(error)
    return _once(readings), problems


def _once(readings: Iterable[Reading]) -> list[Reading]:
    """Without what a status.json repeats of score files that were read."""
    readings = list(readings)
    own = {
        (reading.source.model, reading.task)
        for reading in readings
        if os.path.basename(reading.source.path) != "status.json"
    }
    return [
        reading
        for reading in readings
        if os.path.basename(reading.source.path) != "status.json"
        or (reading.source.model, reading.task) not in own
    ]


def result_files(path: str) -> list[str]:
    """The file named, or the known result files of the folder named (links are not followed).
    Raises EvidenceError.
    """
    if not os.path.lexists(path):
        raise EvidenceError(path, "", "no such file or folder", "file")
    if not os.path.isdir(path):
        return [path]
    seen = 0
    found: list[str] = []
    for folder, folders, files in os.walk(path):
        depth = os.path.relpath(folder, path).count(os.sep) + (folder != path)
        inside = [name for name in folders if not os.path.islink(os.path.join(folder, name))]
        folders[:] = [] if depth >= MAX_LEVELS else sorted(inside)
        seen += len(files) + len(folders)
        if seen > MAX_ENTRIES:
            why = (
                f"more than {MAX_ENTRIES:,} files: name the result files, or the folder of one run"
            )
            raise EvidenceError(path, "", why, "file")
        known = [name for name in sorted(files) if name.endswith(ENDINGS) or name in NAMES]
        full = [os.path.join(folder, name) for name in known]
        found += [name for name in full if not os.path.islink(name)]
    if not found:
        looked = f"*{', *'.join(ENDINGS)}, {', '.join(NAMES)}"
        why = f"no result file in it, up to {MAX_LEVELS} folders deep (looked for {looked})"
        raise EvidenceError(path, "", why, "file")
    if len(found) > MAX_FILES:
        why = f"{len(found)} result files (at most {MAX_FILES} at once): name the folder of one run"
        raise EvidenceError(path, "", why, "file")
    return found


def read(path: str, data_sets: Mapping[str, bool]) -> list[Reading]:
    """All readings of one file. `data_sets`: VLMEvalKit's names -> whether a judge's name may
    follow. Raises EvidenceError.
    """
    name = os.path.basename(path)
    if not name.endswith((".json", ".csv")):
        hint = (
            " (prediction workbooks hold answers, not scores)"
            if name.endswith((".xlsx", ".tsv", ".pkl"))
            else ""
        )
        raise EvidenceError(path, "", f"not a result file that is known{hint}: {ACCEPTED}", "file")
    ending = next((ending for ending in ("_acc.csv", "_score.csv") if path.endswith(ending)), None)
    if name.endswith(".json"):
        found = _json(path, data_sets)
    elif ending:
        head, rows = sheet.table(path)
        found = _rows(*_vlmevalkit(path, ending, data_sets), head, rows)
    else:
        found = sheet.read(path)
    out: list[Reading] = []
    for reading in found:
        out.append(reading)
        if len(out) > MAX_CELLS:
            raise EvidenceError(path, "", f"more than {MAX_CELLS:,} numbers", "file")
    if not out:
        raise EvidenceError(path, "", "no result in it", "schema")
    return out


def _json(path: str, data_sets: Mapping[str, bool]) -> Iterator[Reading]:
    """One of the JSON layouts. NaN and Infinity stay words: a metric without a number."""
    data = parse(read_text(path, limit=MAX_JSON, bom=True), path, constant=str)
    if isinstance(data, dict) and isinstance(data.get("results"), dict):
        return _lmms_eval(path, data)
    if isinstance(data, dict) and isinstance(data.get("datasets"), dict):
        return _status(path, data)
    ending = next(
        (ending for ending in ("_score.json", "_acc.json") if path.endswith(ending)), None
    )
    if ending is None:
        raise EvidenceError(
            path,
            "/results",
            f"no object of results, as lmms-eval writes it (known files: {ACCEPTED})",
            "schema",
        )
    source, name = _vlmevalkit(path, ending, data_sets)
    if isinstance(data, dict):
        return _score_json(source, name, data)
    if isinstance(data, list) and data and all(isinstance(row, dict) for row in data):
        head = list(dict.fromkeys(key for row in data for key in row))
        return _rows(source, name, head, ([row.get(key) for key in head] for row in data))
    raise EvidenceError(
        path, "", "neither an object nor a list of objects, as VLMEvalKit writes scores", "schema"
    )


# --- lmms-eval
# ------------------------------------------------------------------------------------------


def _lmms_eval(path: str, data: Mapping) -> Iterator[Reading]:
    """results: task or group -> {"metric,filter": value, "metric_stderr,filter": number or "N/A",
    "alias", "samples"}.
    """
    source = _lmms_source(path, data)
    part = {
        key: data[key] if isinstance(data.get(key), dict) else {}
        for key in ("groups", "group_subtasks", "n-samples", "n-shot", "config")
    }
    group_of = {
        task: group
        for group, tasks in part["group_subtasks"].items()
        if isinstance(tasks, list)
        for task in tasks
        if isinstance(task, str)
    }
    for block, results in (
        ("results", data["results"]),
        ("groups", {k: v for k, v in part["groups"].items() if k not in data["results"]}),
    ):
        for task, values in results.items():
            if not isinstance(values, dict):
                raise EvidenceError(
                    path, f"/{block}/{escape(task)}", "not an object of metrics", "schema"
                )
            n, asked = _asked(part["n-samples"].get(task), values, part["config"].get("limit"))
            shots, group = count(part["n-shot"].get(task)), group_of.get(task)
            for key, item, error in _metrics(values):
                metric, _, filtered = key.partition(",")
                for below, name, leaf in _leaves(metric, item):
                    yield Reading(
                        source,
                        f"/{block}/{escape(task)}/{escape(key)}{below}",
                        task,
                        name,
                        number(leaf),
                        short(leaf),
                        error if not below else None,
                        n,
                        asked,
                        shots,
                        filtered or None,
                        group=group,
                    )


def _metrics(values: Mapping) -> Iterator[tuple[str, object, Decimal | None]]:
    """(key, value, standard error) of each metric of a task."""
    for key, value in values.items():
        metric, _, filtered = key.partition(",")
        if key in ("alias", "samples") or not key.strip() or metric.endswith(STDERRS):
            continue
        errors = [number(values.get(f"{metric}{ending},{filtered}")) for ending in STDERRS]
        yield (
            key,
            value,
            next((error for error in errors if error is not None and error >= 0), None),
        )


def _lmms_source(path: str, data: Mapping) -> Source:
    said = data.get("date") if isinstance(data.get("date"), str) else os.path.basename(path)
    day = re.match(r"(\d{8})_\d{4,6}", said)
    config = data["config"] if isinstance(data.get("config"), dict) else {}
    # which keys came with which release: lmms_eval/evaluator.py of the tags
    since = "0.7" if "lmms_eval_version" in data else "0.2.3" if "n-samples" in data else None
    return Source(
        path,
        LMMS_EVAL,
        _word(data.get("lmms_eval_version")),
        _word(data.get("git_hash")),
        _day(day[1]) if day else None,
        since,
        _model(data.get("model_name"), config.get("model_args")),
    )


def _model(name, arguments) -> str | None:
    """What was evaluated: model_name, or before 0.2.3 the part of the arguments that says it."""
    if isinstance(name, str) and name.strip():
        return name[:200]
    if isinstance(arguments, str):
        arguments = dict(part.partition("=")[::2] for part in arguments.split(","))
    if not isinstance(arguments, dict):
        return None
    found = next((arguments[key] for key in NAMED_BY if arguments.get(key)), None)
    return found[:200] if isinstance(found, str) else None


def _asked(sizes, values: Mapping, limit) -> tuple[int | None, str | None]:
    """(questions answered, which ones where not all were). Up to 0.2.2 only the run's limit says
    so: a number of questions, or below 1 a share of them.
    """
    sizes = sizes if isinstance(sizes, dict) else {}
    n = count(sizes.get("effective")) or count(values.get("samples"))
    total, limit = count(sizes.get("original")), number(limit)
    if n is not None and total is not None:
        return n, f"{n} of {total} questions" if n < total else None
    if limit is None or limit <= 0:
        return n, None
    if limit < 1:
        return n, f"a share of {limit.normalize():f} of the questions"
    return n or int(limit), f"the first {int(limit)} questions"


def _leaves(name: str, value, below: str = "") -> Iterator[tuple[str, str, object]]:
    """A metric's value, or each part of a nested one: (pointer below the metric, metric/part,
    value).
    """
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _leaves(f"{name}/{key}", item, f"{below}/{escape(key)}")
    else:
        yield below, name, value


# --- VLMEvalKit
# ------------------------------------------------------------------------------------------


def _vlmevalkit(path: str, ending: str, data_sets: Mapping[str, bool]) -> tuple[Source, str]:
    """(source, data set) from `<model>_<data set>[_<judge>]<ending>` in the model's folder, or in a
    run folder inside it.
    """
    stem = os.path.basename(path)[: -len(ending)]
    parent, above = (
        os.path.basename(folder)
        for folder in (
            os.path.dirname(os.path.abspath(path)),
            os.path.dirname(os.path.dirname(os.path.abspath(path))),
        )
    )
    run = RUN_FOLDER.fullmatch(parent)
    model = above if run else parent
    exact = stem.startswith(model + "_")
    rest = stem[len(model) + 1 :] if exact else stem
    fits = [
        name
        for name, judged in data_sets.items()
        if re.fullmatch(
            ("" if exact else "(?:.*_)?") + re.escape(name) + (f"(?:_{JUDGE})?" if judged else ""),
            rest,
            re.S,
        )
    ]
    name = max(fits, key=len, default=rest)
    if not exact and fits:  # the model is what stands before the data set
        model = stem[: stem.rindex(name)].rstrip("_")
    known = model if exact or fits and model else None
    source = Source(
        path, VLMEVALKIT, None, run[2] if run else None, _day(run[1]) if run else None, None, known
    )
    return source, name


def _status(path: str, data: Mapping) -> Iterator[Reading]:
    """status.json of a run: datasets -> {"metrics": {"split=none|Overall": value, …}}."""
    model, said = data.get("model_name"), data.get("updated_at")
    said = said.replace("-", "")[:8] if isinstance(said, str) else ""
    day = _day(said) if re.fullmatch(r"\d{8}", said, re.ASCII) else None
    model = model[:200] if isinstance(model, str) and model.strip() else None
    source = Source(path, VLMEVALKIT, None, None, day, None, model)
    for name, entry in data["datasets"].items():
        metrics = entry.get("metrics") if isinstance(entry, dict) else None
        for key, item in metrics.items() if isinstance(metrics, dict) else ():
            *labels, metric = key.split("|")
            row = labels[-1].rpartition("=")[2][:80] if labels else None
            if metric not in COUNTS:
                n = count(metrics.get("|".join([*labels, "tot"])))
                at = f"/datasets/{escape(name)}/metrics/{escape(key)}"
                value = number(item)
                yield Reading(source, at, name, metric, value, short(item), n=n, row=row)


def _score_json(source: Source, name: str, data: Mapping) -> Iterator[Reading]:
    """{"Final Score": 512, …}: one number per key; lists and objects are taken apart."""
    for key, value in data.items():
        for below, metric, item in _leaves(key, value):
            yield Reading(source, f"/{escape(key)}{below}", name, metric, number(item), short(item))


def _rows(
    source: Source, name: str, head: Sequence[str], rows: Iterable[Sequence]
) -> Iterator[Reading]:
    """A data frame: one column may label the rows, others count their questions, the rest are
    scores. Two columns whose names differ in blanks only keep them.
    """
    bare = [column.strip() for column in head]
    head = [bare[i] if bare.count(bare[i]) == 1 else column for i, column in enumerate(head)]
    label = next((head.index(key) for key in LABELS if key in head), None)
    counted = next((head.index(key) for key in COUNTS if key in head), None)
    for line, row in enumerate(rows, 2):
        title = str(row[label])[:80] if label is not None else None
        n = count(row[counted]) if counted is not None else None
        for place, (column, value) in enumerate(zip(head, row)):
            if place not in (label, counted):
                yield Reading(
                    source,
                    f"line {line}, column {column[:60]}",
                    name,
                    column,
                    number(value),
                    short(value),
                    n=n,
                    row=title,
                )
