"""`backtest`: how well the program predicts papers that it has not seen.

In: the library (and folders of other tables). Out: summaries of predictions: of each published
paper from all the others, or of other tables from all the published ones. Does not fit what is
stored (refit.py) or print.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

from ..base.wording import number
from ..claims.assertions import read_claims, shipped_path
from ..claims.pairs import satisfies
from ..effects import backtest as bt
from ..effects import missing
from ..effects.baselines import Elsewhere, Judged, changes, judge, summary
from ..effects.columns import KINDS, Column, columns
from ..effects.features import difference, llm_params_b
from ..effects.posterior import Posterior
from ..effects.record import printed_in
from ..effects.widths import widened
from ..evidence.tables import load_papers
from ..library import Library
from ..terms.axes import COMPONENTS
from ..terms.tasks import parse_mix
from .fit import read_hyper

GROUPS = ("grade", "family", "paper")


def backtest(library: Library, papers: Sequence[str], say: Callable[[str], None]) -> dict:
    """Leave one paper out, over all papers (or `papers`): overall, what can be answered, by axis,
    grade, family and paper.
    """
    data = columns(
        load_papers(
            [library.shipped],
            library.words.records("benchmark"),
            shipped=library.shipped,
            words=library.words,
        ),
        library.words,
    )
    hyper, spread = read_hyper(library.shipped)
    say("predicting each paper from the others")
    scored = bt.leave_one_paper_out(data, hyper, papers=list(papers) or None)
    scored = widened(scored, data, spread)
    judged = judge(
        scored,
        data,
        Elsewhere(data, bt.scales(data)),
        thumb_rules(library),
        library.words.records("benchmark"),
    )
    return {
        "scored_on": "each published paper, predicted from all the others",
        "repeated": [],
        "warnings": [],
        "spread": number(spread),
        **summaries(judged),
        "missing": None if papers else missing_tables(library, data, judged),
    }


def missing_tables(library: Library, data: Sequence[Column], judged: Sequence[Judged]) -> dict:
    """Which kind of table is missing most: an axis, a benchmark, a size (effects/missing.py)."""
    balanced = parse_mix(None, library.words).benchmarks
    return {
        "axes": [
            {k: number(v) if isinstance(v, float) else v for k, v in step._asdict().items()}
            for step in missing.steps(judged, COMPONENTS)
        ],
        "benchmarks": [
            {"benchmark": name, "papers": papers}
            for name, papers in missing.rare_benchmarks(data, balanced)
        ],
        "llm_sizes": missing.sizes(data),
    }


def other_tables(library: Library) -> dict:
    """The user's tables (--tables), predicted from all the published ones. `repeated`: papers whose
    rows are published ones, so not unseen.
    """
    seen = [one._asdict() for one in library.repeated]
    published = columns(library.papers(shipped_only=True), library.words)
    other = columns(library.own_papers(), library.words)
    posterior = library.alone.posterior
    scored = [
        item
        for number_, column in enumerate(other)
        for item in predicted(number_, column, posterior)
    ]
    elsewhere = Elsewhere(published, posterior.scale)
    judged = judge(
        scored,
        other,
        elsewhere,
        thumb_rules(library),
        library.words.records("benchmark"),
        sharpen_by=changes(published, elsewhere),
    )
    return {
        "scored_on": "the tables of " + ", ".join(library.extra),
        "repeated": seen,
        "warnings": library.strange(),
        "spread": number(posterior.spread),
        **summaries(judged),
    }


def predicted(index: int, column: Column, posterior: Posterior) -> Iterable[bt.Scored]:
    """Every contrast of a column of other tables, predicted by the stored fit."""
    scale = posterior.scale_of(column.benchmark)
    for i, j in bt.pairs(column, all_pairs=True):
        change = difference(column.features[i], column.features[j])
        effect = posterior.effect(change, column.benchmark, column.family)
        kinds = [kind for kind, x, y in zip(KINDS, column.kinds[i], column.kinds[j]) if x != y]
        drawn = (column.sampling[i] + column.sampling[j]) / 2 / scale**2 if column.sampling else 0.0
        local = posterior.local_variance(kinds, change) * posterior.width(column.benchmark)
        local += posterior.noise(column.benchmark, drawn)
        yield bt.Scored(
            index,
            i,
            j,
            effect.mean * scale,
            math.sqrt(effect.variance + local) * scale,
            column.scores[j] - column.scores[i],
            local * scale**2,
        )


def thumb_rules(library: Library) -> Callable:
    """What the rules of thumb of registry/claims.json say about two settings and a benchmark, in
    points; None where none speaks.

    Per axis the rule that names the benchmark or its family goes before a general one; several axes
    add up. A rule per doubling of the LLM is multiplied by the doublings between the two sizes.
    """
    words = library.words
    rules = read_claims(shipped_path(library.shipped)).thumb_rules
    rules = sorted(rules, key=lambda rule: not (rule.benchmarks or rule.families))
    # by identity of the settings: rows live as long as their columns
    seen: dict[tuple[int, int], list] = {}

    def meets(setting: Mapping, wanted: Mapping) -> bool:
        known = {
            **setting,
            "connector.class": words.connector_class(setting),
            "llm_params_b": llm_params_b(setting, words),
        }
        return all(satisfies(known.get(field), condition) for field, condition in wanted.items())

    def speaking(a: Mapping, b: Mapping) -> list:
        key = (id(a), id(b))
        if key not in seen:
            seen[key] = [
                (
                    rule,
                    sign
                    * (
                        abs(math.log2(llm_params_b(b, words) / llm_params_b(a, words)))
                        if rule.per == "doubling"
                        else 1.0
                    ),
                )
                for rule in rules
                if rule.from_
                for sign, x, y in ((1, a, b), (-1, b, a))
                if meets(x, rule.from_) and meets(y, rule.to)
            ]
        return seen[key]

    def thumb(a: Mapping, b: Mapping, benchmark: str) -> float | None:
        family = words.records("benchmark").get(benchmark, {}).get("family")
        said: dict[str, float] = {}
        for rule, factor in speaking(a, b):
            if (not rule.benchmarks or benchmark in rule.benchmarks) and (
                not rule.families or family in rule.families
            ):
                said.setdefault(rule.axis, rule.delta * factor)
        return sum(said.values()) if said else None

    return thumb


# resolution and tokens move each other: in one line where all that was answered is shown
TOGETHER = {"resolution": "resolution and tokens", "visual_tokens": "resolution and tokens"}
ENOUGH = 60  # contrasts that a benchmark must have for its coverage to be shown


def summaries(judged: Sequence[Judged]) -> dict:
    """Overall and by groups. answerable: grade direct or indirect; answered: every grade but
    none.
    """
    answerable = [x for x in judged if x.grade in ("direct", "indirect")]
    answered = [x for x in judged if x.grade != "none"]
    out = {
        "overall": _numbers(summary(judged)),
        "answered": _numbers(summary(answered)),
        "answerable": _numbers(summary(answerable)),
        "by_axis": _grouped(answerable, lambda x: x.axis),
        "by_axis_all": _grouped(judged, lambda x: TOGETHER.get(x.axis, x.axis)),
        "by_axis_answered": _grouped(answered, lambda x: TOGETHER.get(x.axis, x.axis)),
        "by_printed": _grouped(
            [x for x in answered if x.axis in COMPONENTS],
            lambda x: f"{x.axis}, in {printed_in(x.rarer)}",
        ),
        "by_benchmark": {
            name: value
            for name, value in _grouped(answered, lambda x: x.benchmark).items()
            if value["contrasts"] >= ENOUGH
        },
    }
    return out | {"by_" + key: _grouped(judged, lambda x: getattr(x, key)) for key in GROUPS}


def _grouped(judged: Iterable[Judged], key: Callable[[Judged], str]) -> dict:
    groups: dict[str, list[Judged]] = {}
    for item in judged:
        groups.setdefault(key(item), []).append(item)
    return {name: value for name in sorted(groups) if (value := _numbers(summary(groups[name])))}


def _numbers(value) -> dict | None:
    if value is None:
        return None
    return {
        k: {name: number(x) for name, x in v.items()} if isinstance(v, dict) else number(v)
        for k, v in value._asdict().items()
    }
