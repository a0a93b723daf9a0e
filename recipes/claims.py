"""Claims -> verdicts: each assertion is tested on the encoded rows, and the verdict follows from the results by stated rules.

In: Claims (evidence/claims.py), papers, the vocabulary, released models. Out: Audits, each with the rows behind it. No verdict is stored.
Does not read files or print.

An assertion *holds*, *fails*, is *absent* (the cited paper's tables are encoded and none shows it) or *unknown* (nothing encoded speaks to
it, or the paper draws it without printing numbers). The verdict of a claim, from its assertions (those marked `beside` do not count):

    nothing holds or fails: unknown only -> no evidence; else, absent -> not in the cited source
    all hold -> supported;  some hold -> partly;  none holds -> contradicted
"""
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from .cost import tokens
from .evidence.claims import RANGE, Assertion, Claim, ClaimsFile
from .evidence.contrasts import Contrast, Moved, contrasts, evidence_metrics, moved
from .evidence.tables import Metric, Paper, Row, Table
from .evidence.vocabulary import Vocabulary

VERDICTS = ("supported", "partly", "contradicted", "not in the cited source", "no evidence")
RESULTS = ("holds", "fails", "absent", "unknown")
MOST = 2 / 3   # share of the papers that an order of axes must hold in, unless the assertion says another


class Line(NamedTuple):
    """A row, or a pair of rows, behind a result. `before` and `after` are as printed; `delta` is positive when better.

    `moves`: what differs between the two arms (empty for one row); `unsaid`: what only one of them states.
    """
    table: str
    locator: str
    arxiv: str | None
    from_arm: str | None
    to_arm: str
    metric: str
    split: str | None
    before: float | str | None
    after: float | str | None
    delta: float | None
    moves: tuple[str, ...]
    unsaid: tuple[str, ...]
    holds: bool | None


class Judged(NamedTuple):
    """One assertion with its result, what was found in words, and the lines."""
    assertion: Assertion
    result: str
    found: str
    lines: tuple[Line, ...]


class Audit(NamedTuple):
    """One claim with its verdict and the results it follows from."""
    claim: Claim
    verdict: str
    judged: tuple[Judged, ...]


class Evidence:
    """The encoded papers as the judge needs them."""

    def __init__(self, papers: Sequence[Paper], words: Vocabulary, models: Mapping[str, Mapping]):
        self.papers = {paper.key: paper for paper in papers}
        self.tables = {table.id: table for paper in papers for table in paper.tables}
        self.paper_of = {table.id: paper for paper in papers for table in paper.tables}
        self.words, self.models = words, models
        self.axis_of = {key: record["axis"] for key, record in words.records("setting").items()}
        self.costs = {record["id"]: record for record in words.registry("training_costs")["training_costs"]}

    def searched(self, spec: Mapping) -> list[Table]:
        """The tables an assertion speaks of."""
        names = spec["in"]
        if names == "*":
            found: Iterable[Table] = self.tables.values()
        else:
            found = (table for name in names for table in (self.papers[name].tables if name in self.papers else (self.tables[name],) if name in self.tables else ()))
        if "varies" in spec:
            found = (table for table in found if spec["varies"] in table.varies and "whole systems" not in table.varies)
        if "locators" in spec:
            found = (table for table in found if table.locator in spec["locators"])
        return list(found)

    def setting(self, row: Row, key: str):
        """A setting of a row; `encoder.family` is the field of the component's registry record. None when unsaid."""
        name, _, field = key.partition(".")
        value = row.setting.get(name)
        if field and value is not None:
            return self.words.records(name).get(value, {}).get(field)
        return value

    def matches(self, row: Row, selector: Mapping) -> bool:
        """Does a row satisfy every condition of a selector?"""
        return all(key == "table" or satisfies(row.arm if key == "arm" else self.setting(row, key), condition)
                   for key, condition in selector.items())


def satisfies(value, condition) -> bool:
    """Does a setting satisfy a condition of a selector? An unsaid one satisfies none."""
    if value is None:
        return False
    if isinstance(condition, Mapping):
        numeric = isinstance(value, (int, float)) and not isinstance(value, bool)
        if ("min" in condition or "max" in condition) and not numeric:
            return False
        refused = condition.get("not", [])
        return (not ("min" in condition and value < condition["min"] or "max" in condition and value > condition["max"])
                and value not in (refused if isinstance(refused, list) else [refused])
                and ("has" not in condition or condition["has"] in str(value)))
    return value in condition if isinstance(condition, list) else value == condition


def audit(claims: ClaimsFile, evidence: Evidence) -> list[Audit]:
    """All claims of a file, judged."""
    return [judge(claim, evidence) for claim in claims.claims]


def judge(claim: Claim, evidence: Evidence) -> Audit:
    """One claim."""
    judged = tuple(JUDGES[one.kind](one, evidence) for one in claim.assertions)
    return Audit(claim, verdict(tuple(one.result for one in judged if not one.assertion.beside)), judged)


def verdict(results: Sequence[str]) -> str:
    """The rules of the module's docstring."""
    hold, fail = results.count("holds"), results.count("fails")
    if not hold and not fail:
        return "not in the cited source" if "absent" in results else "no evidence"
    if hold == len(results):
        return "supported"
    return "partly" if hold else "contradicted"


# --- pairs of rows ---------------------------------------------------------------------------------------------------------

def _metrics(table: Table, spec: Mapping, words: Vocabulary) -> tuple[Metric, ...]:
    if "metrics" in spec:
        return tuple(table.metrics[key] for key in spec["metrics"] if key in table.metrics)
    found = evidence_metrics(table)
    if "benchmarks" in spec:
        found = tuple(metric for metric in found if metric.benchmark in spec["benchmarks"])
    if "families" in spec:
        found = tuple(metric for metric in found if words.records("benchmark").get(metric.benchmark, {}).get("family") in spec["families"])
    return found


def _across(spec: Mapping, evidence: Evidence) -> Table | None:
    """Two rows of different tables as one table, where the selectors name their tables."""
    first, second = spec.get("from", {}).get("table"), spec.get("to", {}).get("table")
    if not first or not second or first == second:
        return None
    one, other = evidence.tables.get(first), evidence.tables.get(second)
    if one is None or other is None:
        return None
    rows = tuple(row for row in one.rows if evidence.matches(row, spec["from"])) + tuple(row for row in other.rows if evidence.matches(row, spec["to"]))
    return one._replace(id=f"{one.id} and {other.id}", locator=f"{one.locator} and {other.locator}", rows=rows,
                        metrics={key: metric for key, metric in one.metrics.items() if key in other.metrics})


def _directed(spec: Mapping, evidence: Evidence) -> Iterator[Contrast]:
    """The contrasts an assertion asks for, each in the direction of its selectors; a pair of runs that two tables print is taken once."""
    axes = spec.get("axis")
    axes = None if axes is None else {axes} if isinstance(axes, str) else set(axes)
    moves = set(spec["moves"]) if "moves" in spec else None
    start, end = spec.get("from"), spec.get("to")
    across = _across(spec, evidence)
    seen = set()
    for table in [across] if across else evidence.searched(spec):
        metrics = _metrics(table, spec, evidence.words)
        starts: set[int] = set()
        ends: set[int] = set()
        if start is not None:
            # rows are told apart by identity: two arms may be written the same
            starts = {id(row) for row in table.rows if evidence.matches(row, start) and start.get("table", table.id) in table.id}
            ends = {id(row) for row in table.rows if evidence.matches(row, end) and end.get("table", table.id) in table.id}
            if not starts or not ends:
                continue
            table = table._replace(rows=tuple(row for row in table.rows if id(row) in starts | ends))
        if not metrics:
            continue
        for one in contrasts(table, evidence.axis_of, metrics):
            if start is not None:
                if id(one.to_row) in starts and id(one.from_row) in ends and not (id(one.from_row) in starts and id(one.to_row) in ends):
                    one = one._replace(from_row=one.to_row, to_row=one.from_row, delta=-one.delta)
                elif not (id(one.from_row) in starts and id(one.to_row) in ends):
                    continue
            elif len(one.moved.axes) != 1 or one.moved.unstated or one.moved.axes[0] not in axes:
                continue
            if moves is not None and (one.moved.unstated or not set(one.moved.axes) <= moves or not one.moved.axes):
                continue
            if any(evidence.setting(one.from_row, key) is None or evidence.setting(one.from_row, key) != evidence.setting(one.to_row, key) for key in spec.get("same", ())):
                continue
            if one.from_row.run and one.to_row.run:
                key = (one.from_row.run, one.to_row.run, one.metric.benchmark, one.metric.split, one.delta)
                if key in seen:
                    continue
                seen.add(key)
            yield one


def _line(one: Contrast, delta: float | None = None, holds: bool | None = None) -> Line:
    moves = (*one.moved.axes, *one.moved.implied)
    return Line(one.table.id, one.table.locator, one.table.arxiv, one.from_row.arm, one.to_row.arm, one.metric.key, one.metric.split,
                one.from_row.scores[one.metric.key], one.to_row.scores[one.metric.key], one.delta if delta is None else delta, moves, one.moved.unstated, holds)


def within(value: float, limits: Mapping) -> bool:
    """Does a number lie in a range (min and max included, above and below not)? Printed decimals are compared as decimals."""
    value = round(value, 6)
    return (value >= limits.get("min", value) and value <= limits.get("max", value)
            and ("above" not in limits or value > limits["above"]) and ("below" not in limits or value < limits["below"]))


def range_words(limits: Mapping, unit: str = "") -> str:
    """`at least 3`, `2 to 4`, `above 0`."""
    if "min" in limits and "max" in limits:
        return f"{limits['min']:g} to {limits['max']:g}{unit}"
    names = {"min": "at least", "max": "at most", "above": "above", "below": "below"}
    return " and ".join(f"{names[key]} {limits[key]:g}{unit}" for key in RANGE if key in limits)


def _missing(one: Assertion, evidence: Evidence) -> Judged:
    """Nothing was found: absent from an encoded paper, drawn without numbers, or spoken of nowhere."""
    spec = one.spec
    if spec["in"] == "*":
        return Judged(one, "unknown", f"none of the {len(evidence.tables)} encoded tables shows it", ())
    papers = {evidence.papers[name].key if name in evidence.papers else evidence.paper_of[name].key for name in spec["in"]}
    for key in sorted(papers):
        said = drawn(evidence.papers[key], spec.get("words", ()))
        if said:
            return Judged(one, "unknown", f"{evidence.papers[key].short} prints no numbers for it; its record here says: {said}", ())
    tables = sum(len(evidence.papers[key].tables) for key in papers)
    names = ", ".join(evidence.papers[key].short for key in sorted(papers))
    return Judged(one, "absent", f"none of the {tables} encoded tables of {names} shows it", ())


def drawn(paper: Paper, words: Sequence[str]) -> str | None:
    """The sentence of a paper's transcription record (open questions) that speaks of all `words`, or None."""
    for text in paper.transcription.get("open_questions") or () if words else ():
        for part in str(text).replace("): ", "), ").split(", "):
            if all(word.lower() in part.lower() for word in words):
                return part if len(part) <= 160 else part[:160].rsplit(" ", 1)[0] + " …"
    return None


def _exists(one: Assertion, evidence: Evidence) -> Judged:
    found = list(_directed(one.spec, evidence))
    if not found:
        return _missing(one, evidence)
    if isinstance(one.spec.get("axis"), list):
        moving = {contrast.moved.axes[0] for contrast in found}
        lacking = [axis for axis in one.spec["axis"] if axis not in moving]
        if lacking:
            return Judged(one, "fails", f"no pair of rows differs in {' or '.join(lacking)} alone", tuple(map(_line, found)))
    tables = {contrast.table.id for contrast in found}
    return Judged(one, "holds", f"{plural(len(found), 'contrast')} in {plural(len(tables), 'table')}, mean {_mean_delta(found)}", tuple(map(_line, found)))


def _mean_delta(found: Sequence[Contrast]) -> str:
    return f"{sum(contrast.delta * 100 / (contrast.metric.max or 100) for contrast in found) / len(found):+.2f} percent of scale"


def plural(count: int, word: str) -> str:
    """`1 row`, `2 rows`."""
    return f"{count} {word}{'' if count == 1 else 's'}"


def _contrast(one: Assertion, evidence: Evidence) -> Judged:
    spec = one.spec
    percent = spec.get("scale") == "percent"
    groups: dict[tuple, list[tuple[Contrast, float]]] = defaultdict(list)
    for contrast in _directed(spec, evidence):
        value = contrast.delta * 100 / contrast.metric.max if percent and contrast.metric.max else contrast.delta
        groups[contrast.table.id, id(contrast.from_row), id(contrast.to_row)].append((contrast, abs(value) if spec.get("size") else value))
    if not groups:
        return _missing(one, evidence)
    unit = " percent of scale" if percent else ""
    if spec.get("mean"):
        means = {key: sum(value for _, value in group) / len(group) for key, group in groups.items()}
        judged = {key: within(mean, spec) for key, mean in means.items()}
        lines = tuple(_line(contrast, holds=judged[key]) for key, group in groups.items() for contrast, _ in group)
        hits, total, values, what = sum(judged.values()), len(judged), list(means.values()), "mean"
    else:
        lines = tuple(_line(contrast, holds=within(value, spec)) for group in groups.values() for contrast, value in group)
        values = [value for group in groups.values() for _, value in group]
        hits, total, what = sum(bool(line.holds) for line in lines), len(lines), "contrast"
    share = spec.get("need", 1)
    wanted = "" if share == 1 else f", {100 * share:.0f}% needed"
    sign = "" if spec.get("size") else "+"
    spread = format(values[0], sign + ".2f") if total == 1 else f"{format(min(values), sign + '.2f')} … {format(max(values), sign + '.2f')}"
    found = f"{hits} of {plural(total, what)} {'is' if hits == 1 else 'are'} {range_words(spec, unit)}{wanted} (found {spread}{unit})"
    return Judged(one, "holds" if hits >= share * total - 1e-9 else "fails", found, lines)


# --- single values --------------------------------------------------------------------------------------------------------

def _cell_line(table: Table, row: Row, metric: str, value, holds=None, split: str | None = None) -> Line:
    return Line(table.id, table.locator, table.arxiv, None, row.arm, metric, split, None, value, None, (), (), holds)


def _place(place: Mapping, evidence: Evidence) -> tuple[object, list[Line]]:
    """(value or None, lines) of one place. Other values that the same place prints follow as further lines."""
    if "table" in place:
        table = evidence.tables[place["table"]]
        row = next(row for row in table.rows if row.arm == place["arm"])
        if "set" in place:
            return row.setting.get(place["set"]), [_cell_line(table, row, place["set"], row.setting.get(place["set"]))]
        keys = place.get("metrics") or [place["metric"]]
        values = [row.scores.get(key) for key in keys]
        lines = [_cell_line(table, row, key, value, split=table.metrics[key].split) for key, value in zip(keys, values)]
        return None if None in values else sum(values) / len(values), lines
    if "model" in place:
        model = evidence.models[place["model"]]
        if "field" in place:
            value = model.get(place["field"])
            return value, [Line("registry/models", "released models", model.get("arxiv"), None, model["name"], place["field"], None, None, value, None, (), (), None)]
        scores = [score for score in model["scores"] if score["benchmark"] == place["benchmark"] and place.get("split") in (None, score["split"])]
        lines = [Line("registry/models", f"{score['source']} ({score['reported_by']})", model.get("arxiv"), None, model["name"], score["benchmark"], score["split"],
                      None, score["value"], None, (), (), None) for score in scores]
        return (scores[0]["value"] if scores else None), lines
    if "tokens" in place:
        width, height = place["image"]
        counted = tokens.count(place["tokens"], width, height)
        parts = [term for term in counted.terms if term.name not in place.get("leave_out", ())]
        value = sum(term.tokens for term in parts) + (counted.markers if place.get("markers") else 0)
        how = " + ".join([f"{term.name} {term.tokens} = {term.formula}" for term in parts] + ([f"{counted.markers} markers"] if place.get("markers") else []))
        return value, [Line("tokens", how, None, None, f"{place['tokens']}, image {width}x{height}", "visual tokens", None, None, value, None, (), (), None)]
    record = evidence.costs[place["cost"]]
    value = record.get(place["field"])
    return value, [Line("registry/training_costs", record["source"], None, None, record["id"], place["field"], None, None, value, None, (), (), None)]


def _value(one: Assertion, evidence: Evidence) -> Judged:
    spec = one.spec
    places = spec["at"] if isinstance(spec["at"], list) else [spec["at"]]
    values, lines = [], []
    for place in places:
        value, found = _place(place, evidence)
        values.append(value)
        lines += found
    if any(value is None for value in values):
        return Judged(one, "unknown", "no source that was read prints it", tuple(lines))
    value = values[0]
    if len(values) > 1:
        value = {"sum": sum, "ratio": lambda v: v[0] / v[1] if v[1] else float("inf"), "difference": lambda v: v[0] - v[1]}[spec.get("how", "sum")](values)
    if "is" in spec:
        good = satisfies(value, spec["is"])
    elif isinstance(spec.get("equals"), str):
        good = value == spec["equals"]
    elif "equals" in spec:
        good = abs(value - spec["equals"]) <= spec.get("within", 0) + 1e-9
    else:
        good = within(value, spec)
    shown = f"{value:g}" if isinstance(value, (int, float)) and not isinstance(value, bool) else str(value)
    if isinstance(value, (int, float)) and abs(value) >= 1e5:
        shown = f"{value:,.0f}"
    others = "" if len(values) > 1 or "model" not in places[0] or len(lines) < 2 else f"; other sources print {', '.join(dict.fromkeys(f'{line.after:g}' for line in lines[1:]))}"
    return Judged(one, "holds" if good else "fails", f"found {shown}{others}", tuple(line._replace(holds=good if i == 0 or not others else None) for i, line in enumerate(lines)))


# --- several rows --------------------------------------------------------------------------------------------------------------

def _level(table: Table, row: Row, keys: Sequence[str]) -> float | None:
    """Mean of several metrics of a row, each in percent of its maximum; None when one is missing."""
    values = [row.scores.get(key) for key in keys]
    if any(value is None for value in values):
        return None
    return sum(value * 100 / table.metrics[key].max if table.metrics[key].max else value for key, value in zip(keys, values)) / len(keys)


def _ordering(one: Assertion, evidence: Evidence) -> Judged:
    spec = one.spec
    lines, good, said = [], [], []
    for table in evidence.searched(spec):
        keys = [key for key in spec["metrics"] if key in table.metrics]
        ranked = []
        for item in spec["items"] if keys else ():
            levels = [(level, row) for row in table.rows if evidence.matches(row, item["rows"]) for level in [_level(table, row, keys)] if level is not None]
            if not levels:
                break
            pick = item.get("pick", "best")
            level, row = min(levels, key=lambda pair: pair[0]) if pick == "worst" else max(levels, key=lambda pair: pair[0])
            ranked.append((item["label"], sum(level for level, _ in levels) / len(levels) if pick == "mean" else level, row, len(levels)))
        if not keys or len(ranked) < len(spec["items"]):
            continue
        descends = all(ranked[i][1] > ranked[i + 1][1] for i in range(len(ranked) - 1))
        good.append(descends)
        said.append(f"{table.locator}: " + ", ".join(f"{label} {level:.1f}" for label, level, *_ in ranked))
        for (label, level, row, count), item in zip(ranked, spec["items"]):
            arm = f"{label}: mean of {count} rows" if item.get("pick") == "mean" and count > 1 else f"{label}: {row.arm}"
            lines.append(Line(table.id, table.locator, table.arxiv, None, arm, " + ".join(keys) if len(keys) < 3 else f"mean of {len(keys)} metrics",
                              None, None, round(level, 4), None, (), (), descends))
    if not good:
        return _missing(one, evidence)
    found = f"in this order in {sum(good)} of {plural(len(good), 'table')} ({'; '.join(said)})"
    return Judged(one, "holds" if sum(good) >= spec.get("need", 1) * len(good) - 1e-9 else "fails", found, tuple(lines))


def _count(one: Assertion, evidence: Evidence) -> Judged:
    spec = one.spec
    where = spec.get("where", {})
    if spec.get("models"):
        found = [model for model in evidence.models.values() if all(satisfies(model.get(key), condition) for key, condition in where.items())]
        lines = tuple(Line("registry/models", "released models", model.get("arxiv"), None, model["name"], ", ".join(where), None, None,
                           ", ".join(str(model.get(key)) for key in where), None, (), (), None) for model in found)
        total, what = len(found), "released model"
    else:
        rows: dict[object, Line] = {}
        for table in evidence.searched(spec):
            for row in table.rows:
                value = (row.run or (table.id, row.arm, id(row))) if spec["of"] == "rows" else evidence.setting(row, spec["of"])
                if value is not None and value not in rows and evidence.matches(row, where):
                    rows[value] = _cell_line(table, row, spec["of"], None if spec["of"] == "rows" else value)
        lines, total, what = tuple(rows.values()), len(rows), "different row" if spec["of"] == "rows" else f"different {spec['of']}"
    good = total == spec["equals"] if "equals" in spec else within(total, spec)
    return Judged(one, "holds" if good else "fails", f"counted {plural(total, what)}", lines)


def spread(spec: Mapping, evidence: Evidence) -> dict[str, dict[str, list[Contrast]]]:
    """axis -> paper -> contrasts in which this axis alone moves, in tables that mean to vary it (not comparisons of whole systems)."""
    out: dict[str, dict[str, list[Contrast]]] = {axis: defaultdict(list) for axis in spec["axes"]}
    for table in evidence.searched(spec):
        if "whole systems" in table.varies or not set(spec["axes"]) & set(table.varies):
            continue
        metrics = tuple(metric for metric in _metrics(table, spec, evidence.words) if metric.max)
        for one in contrasts(table, evidence.axis_of, metrics) if metrics else ():
            if one.controlled and one.moved.axes[0] in out and one.moved.axes[0] in table.varies:
                out[one.moved.axes[0]][evidence.paper_of[table.id].key].append(one)
    return out


def _share(one: Assertion, evidence: Evidence) -> Judged:
    spec = one.spec
    found = spread(spec, evidence)
    sizes = {axis: {key: sum(abs(c.delta) * 100 / c.metric.max for c in group) / len(group) for key, group in papers.items()} for axis, papers in found.items()}
    variance = {axis: sum(sum((c.delta * 100 / c.metric.max) ** 2 / 2 for c in group) / len(group) for group in papers.values()) / len(papers)
                for axis, papers in found.items() if papers}
    lines = tuple(Line("", f"{evidence.papers[key].short}, {plural(len(found[axis][key]), 'contrast')}", evidence.papers[key].arxiv, None, axis, "mean size, percent of scale",
                       None, None, round(size, 4), None, (axis,), (), None) for axis, papers in sizes.items() for key, size in papers.items())
    if "order" in spec:
        return _order(one, sizes, lines, evidence)
    asked = spec.get("together") or list(spec["each"])
    if not any(axis in variance for axis in asked):
        return _missing(one, evidence)
    total = sum(variance.values())
    shares = {axis: value / total if total else 0.0 for axis, value in variance.items()}
    said = ", ".join(f"{axis} {100 * shares[axis]:.0f}% ({plural(sum(map(len, found[axis].values())), 'contrast')} of {plural(len(found[axis]), 'paper')})"
                     if axis in shares else f"{axis} not measured" for axis in spec["axes"])
    if "together" in spec:
        good = within(sum(shares.get(axis, 0) for axis in asked), {key: spec[key] for key in ("min", "max") if key in spec})
    else:
        good = all(axis in shares and within(shares[axis], limits) for axis, limits in spec["each"].items())
    return Judged(one, "holds" if good else "fails", said, lines)


def _order(one: Assertion, sizes: Mapping[str, Mapping[str, float]], lines: tuple[Line, ...], evidence: Evidence) -> Judged:
    """Does the first axis move scores more than the next, in the papers that vary both?"""
    spec, good, said = one.spec, True, []
    for first, second in zip(spec["order"], spec["order"][1:]):
        both = sorted(set(sizes[first]) & set(sizes[second]))
        if not both:
            return _missing(one, evidence)
        more = sum(sizes[first][key] > sizes[second][key] for key in both)
        good &= more >= spec.get("need", MOST) * len(both) - 1e-9
        said.append(f"{first} moves scores more than {second} in {more} of the {plural(len(both), 'paper')} that {'varies' if len(both) == 1 else 'vary'} both"
                    f" (mean size {sum(sizes[first][key] for key in both) / len(both):.2f} against {sum(sizes[second][key] for key in both) / len(both):.2f} percent of scale)")
    return Judged(one, "holds" if good else "fails", "; ".join(said), lines)


JUDGES = {"contrast": _contrast, "exists": _exists, "value": _value, "ordering": _ordering, "count": _count, "share": _share}
__all__ = ["Audit", "Evidence", "Judged", "Line", "Moved", "audit", "judge", "moved", "verdict"]
