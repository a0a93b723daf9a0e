"""What a change of recipe does to each benchmark: expected delta, interval, probability, grade, and
the rows behind it.

In: two settings (from, to), the posterior, the papers that may hold rows about the change. Out: a
Swap. Does not parse names, compute costs or print.
"""

import math
from collections.abc import Callable, Mapping, Sequence

from ..evidence.tables import Paper
from . import meta, tails
from .change import Change
from .encoders import guessed
from .features import (
    llm_params_b,
)
from .hyper import column_weight
from .level import carried
from .results import Delta, Evidence, Path, Split, Swap
from .rows import Found, chain_rows
from .weighing import NEAR_ROWS, as_evidence, heaviest, neighbours, pool, rows_of, weigh

GRADES = ("direct", "indirect", "extrapolated", "none")


def with_chains(
    answer: Swap, read: Callable[[set[str] | None], Sequence[Paper]], change: Change
) -> Swap:
    """The answer with links of the chain for every delta that no row of the change itself stands
    behind (see rows.chain_rows).

    read: the papers that bear on the change and print something of these task families (None: of
    any).
    Weights: overlap squared over the variance of the row, adding up to 1 over the NEAR_ROWS
    heaviest. Changes of several axes have none.
    """
    bare = [d for d in answer.deltas if not d.evidence and d.grade != "none"]
    if not bare or len(change.axes) != 1:
        return answer
    records = change.words.records("benchmark")
    members: dict[str, set[str]] = {}
    for name, record in records.items():
        members.setdefault(record.get("family") or "", set()).add(name)

    def links(families: set[str] | None) -> dict[str, list[tuple[Found, float]]]:
        wanted = (
            records
            if families is None
            else {name for family in families for name in members.get(family, ())}
        )
        found: dict[str, list[tuple[Found, float]]] = {}
        for item, overlap in chain_rows(
            read(families), change.features, change.axes[0], wanted, change.index
        ):
            found.setdefault(item.contrast.metric.benchmark, []).append((item, overlap))
        return found

    def of(d: Delta, found: Mapping[str, list[tuple[Found, float]]]) -> list[tuple[Found, float]]:
        return found.get(d.benchmark) or [
            pair for name in sorted(members.get(d.family or "", ())) for pair in found.get(name, ())
        ]

    near = links({d.family or "" for d in bare})
    far: list[tuple[Found, float]] = []
    if not all(of(d, near) for d in bare):  # effects are shared over all benchmarks too
        every = links(None)
        far = [pair for name in sorted(every) for pair in every[name]]
    deltas = []
    for d in answer.deltas:
        if d in bare:
            own = of(d, near) or far
            weighed = weigh([item for item, _ in own], change)
            strength = [overlap**2 / weighed[id(item)][1] for item, overlap in own]
            best = sorted(range(len(own)), key=lambda n: -strength[n])[:NEAR_ROWS]
            total = sum(strength[n] for n in best)
            rows = [
                as_evidence(own[n][0], strength[n] / total, change)._replace(relation="chain")
                for n in best
            ]
            d = d._replace(evidence=tuple(rows))
        deltas.append(d)
    return answer._replace(deltas=tuple(deltas))


def path(change: Change, benchmark: str, family: str | None, unit: float, sign: float) -> Path:
    """Where the answer for one benchmark comes from (see Path)."""
    scale = change.posterior.scale_of(benchmark) * unit
    effect = change.effect(benchmark, family)
    shared = change.posterior.mean(
        change.posterior.weights(change.features), benchmark, family, whole=True
    )
    return Path(
        shared * scale * sign,
        effect.mean * scale * sign,
        math.sqrt(effect.variance) * scale,
        math.sqrt(change.variance(benchmark)) * scale,
        math.sqrt(change.noise(benchmark)) * scale,
    )


def split(
    change: Change,
    benchmark: str,
    family: str | None,
    direct: meta.Pooled,
    papers: Sequence[str],
    unit: float,
    sign: float,
) -> Split:
    """The direct rows of a benchmark (of these papers) against everything else that the model knows
    about the change (see Split).
    """
    posterior = change.posterior
    scale = posterior.scale_of(benchmark) * unit
    mean = (
        posterior.mean(posterior.weights(change.features), benchmark, family, whole=True)
        * scale
        * sign
    )
    variance = max(change.effect(benchmark, family).variance * scale**2, 1e-9)
    # columns of a paper in a family repeat each other, and the fit counts each the less: so do
    # these rows
    counts = [
        column_weight(
            posterior.hyper.overlap, posterior.columns.get(paper, {}).get(family or "", 1)
        )
        for paper in dict.fromkeys(papers)
    ]
    share = min(1.0, variance * sum(counts) / len(counts) / direct.se**2)
    if share > 0.98:
        return Split(direct.estimate, direct.se, None, None, 1.0, None)
    rest, indirect = variance / (1 - share), (mean - share * direct.estimate) / (1 - share)
    return Split(
        direct.estimate,
        direct.se,
        indirect,
        math.sqrt(rest),
        share,
        (direct.estimate - indirect) / math.sqrt(direct.se**2 + rest),
    )


def _delta(
    change: Change,
    name: str,
    listed: Sequence[Found],
    some_near: bool,
    level: float,
    score: float | None,
    near: bool,
) -> Delta:
    """The answer for one benchmark from the rows of the change on it; some_near: are there rows
    near it on any benchmark? near: with the weightiest of these.
    """
    record = change.words.records("benchmark")[name]
    family, posterior = record["family"], change.posterior
    direct = [item for item in listed if not item.near]
    isolated = any(change.isolated(item) for item in direct)
    grade = change.grade(name, isolated, some_near) if change.axes else "none"
    expected, sd = change.predict(name, family) if change.axes else (0.0, 0.0)
    unit = record["max"] / 100 if record.get("max") else 1.0
    sign = 1.0 if record.get("higher_is_better", True) else -1.0
    kept = list(direct)
    if near:
        kept += heaviest([item for item in listed if item.near], change)
    weighed = weigh(kept, change)
    pooled, rows = pool(direct, weighed, unit, sign), rows_of(kept, weighed, change)
    p_better, z = tails.cdf(expected / sd) if sd else 0.5, tails.half_width(level)
    # a score can move by its whole scale at most
    ends = [
        min(max(x, -100.0), 100.0) if record.get("max") else x
        for x in (expected - z * sd, expected, expected + z * sd)
    ]
    if score is not None:
        ends = [carried(x, posterior.usual.get(name, 50.0), score / unit) for x in ends]
    low, high = sorted((ends[0] * unit * sign, ends[2] * unit * sign))
    papers = [item.contrast.table.paper for item in direct]
    # a user's rows count in full, not as the fit counts rows: what is left without them cannot
    # be worked out backwards
    fitted = all(paper in posterior.published.columns for paper in papers)
    known = pooled and grade == "direct" and fitted
    return Delta(
        name,
        family,
        record.get("max"),
        ends[1] * unit * sign,
        low,
        high,
        level,
        p_better,
        grade,
        tuple(rows),
        pooled,
        split(change, name, family, pooled, papers, unit, sign) if known else None,
        score,
        path(change, name, family, unit, sign) if change.axes else None,
    )


def judge(
    change: Change,
    found: Sequence[Found],
    benchmarks: Sequence[str],
    *,
    mix: Mapping[str, float] | None = None,
    level: float = 0.8,
    warnings: Sequence[str] = (),
    scores: Mapping[str, float] | None = None,
    near: bool = True,
) -> Swap:
    """Answer for a change whose rows have been found already (see `find_rows`).

    near: with rows that are near the change beside those that make it. scores: what `from` scores
    on some benchmarks, in their points: the delta is carried over to that score (level.py).
    """
    records = change.words.records("benchmark")
    by_benchmark: dict[str, list[Found]] = {}
    for item in found:
        by_benchmark.setdefault(item.contrast.metric.benchmark, []).append(item)
    by_family: dict[str, list[Found]] = {}
    for name, items in by_benchmark.items():
        by_family.setdefault(records.get(name, {}).get("family") or "", []).extend(items)
    kin: dict[str | None, tuple[Evidence, ...]] = {}
    some_near = any(item.near for item in found)
    deltas = []
    for name in benchmarks:
        listed = by_benchmark.get(name, [])
        one = _delta(change, name, listed, some_near, level, (scores or {}).get(name), near)
        if near and not one.evidence:
            if one.family not in kin:
                kin[one.family] = tuple(neighbours(by_family.get(one.family or "", []), change))
            one = one._replace(evidence=kin[one.family])
        deltas.append(one)
    mixed = None
    if mix and change.axes:
        mixed = change.mix(mix, {name: records[name]["family"] for name in mix}, level)
    return Swap(
        change.axes[0] if change.axes else None,
        change.axes,
        tuple(deltas),
        mixed,
        tuple(warnings) + tuple(_warnings(change, found)),
    )


def _stands_for(name: str, change: Change) -> str:
    """What a component without rows is judged by."""
    words = change.words
    if name in (change.a.get("data"), change.b.get("data")):
        return "it counts as what it holds, by kind of data"
    if name in (change.a.get("connector"), change.b.get("connector")):
        return "it counts as a mean one of its class"
    kind = next((k for k in guessed(name) if k.startswith("encoder_kind=")), None)
    encoders = "+".join(str(side.get("encoder") or "") for side in (change.a, change.b)).split("+")
    if kind and name in encoders and name not in words.records("encoder"):
        return f"by its name it is taken for a {kind.partition('=')[2]} encoder"
    return (
        "it counts as a mean one of its make, kind, size and text score as far as these are known"
    )


def _warnings(change: Change, found: Sequence[Found]) -> list[str]:
    out = []
    if not change.axes:
        return ["nothing changes between the two recipes: every delta is zero by definition"]
    for axis in change.unknown:
        out.append(
            f"no chain of tables leads from one {axis} to the other: what stands here rests on"
            " components of the same make, or on nothing"
        )
    for name in () if change.unknown else change.new_components():
        out.append(f"no table has a row of {name}: {_stands_for(name, change)}, not by rows")
    size = llm_params_b(change.a, change.words)
    if size and size == llm_params_b(change.b, change.words):
        low, high = (7 * 2**x for x in change.posterior.ranges["llm_size"])
        if not low / 1.05 <= size <= high * 1.05:
            out.append(
                f"an LLM of {size:g}B lies outside the tables ({low:.2g}B to {high:.3g}B): deltas"
                " are those of the sizes that they have"
            )
    for name, octaves in change.beyond.items():
        out.append(
            f"{name.replace('_', ' ')} lies {2**octaves:.1f}x outside the range of any table:"
            " extrapolated, interval widened"
        )
    along: dict[str, set[str]] = {}
    for item in {(id(x.from_row), id(x.to_row)): x for x in found}.values():
        for text in change.also_moves(item):
            if text.split(" ")[0] not in item.contrast.moved.implied:
                along.setdefault(text.split(" ")[0], set()).add(item.contrast.table.paper)
    for axis, papers in sorted(along.items(), key=lambda entry: (-len(entry[1]), entry[0])):
        if (
            axis in ("resolution", "visual_tokens", "data", "llm", "encoder", "connector")
            and axis not in change.axes
        ):
            out.append(
                f"{' and '.join(change.axes)} and {axis} move together in rows of"
                f" {', '.join(sorted(papers))} (confounded)"
            )
    return out
