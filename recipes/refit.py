"""`fit` and `backtest`: make the stored fit from the published tables, and say how well such fits predict.

In: the library. Out: the files tables/derived/hyper.json (what the search found) and posterior.json (the fit), and
summaries of leave-one-paper-out predictions. Two processes share the search.
"""
import json
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor

from .effects import backtest as bt
from .effects import posterior, store
from .effects.columns import KINDS, Column, columns
from .effects.model import Hyper
from .evidence.reading import read_json
from .evidence.tables import load_papers
from .evidence.vocabulary import Vocabulary
from .evidence.write import write_text
from .library import Library
from .report.jsonable import number
from .report.terminal import Style, table, wrap

# Smallest prior variances the search may reach. Leave-one-paper-out scores cannot see effects of components that one
# paper alone has; these floors decide how far a change that was printed once is believed.
FLOORS = {("prior", "connector"): 0.03, ("prior", "data"): 0.15, ("prior", "encoder_family"): 0.03, ("prior", "llm"): 0.05,
          ("prior", "encoder"): 0.01, ("prior", "frozen_encoder"): 0.002}

_COLUMNS: list[Column] = []


def _start(directory: str) -> None:
    """Load the columns once per worker process."""
    words = Vocabulary(directory)
    _COLUMNS[:] = columns(load_papers([directory], words.records("benchmark"), shipped=directory), words)


def _objective(hyper: Hyper) -> float:
    return bt.objective(_COLUMNS, hyper)


def read_hyper(directory: str) -> tuple[Hyper, float]:
    """The stored hyper-parameters and the spread of the intervals."""
    data = read_json(os.path.join(directory, "derived", "hyper.json"), trusted=True)
    return Hyper(**data["hyper"]), data["spread"]


def run(library: Library, rounds: int, check: bool, say: Callable[[str], None]) -> dict:
    """Fit, after `rounds` rounds of search; or only check whether the stored fit is up to date."""
    directory = library.shipped
    digest = store.evidence_digest(directory)
    if check:
        fresh = store.stored_digest(directory) == digest
        return {"ok": fresh, "message": "the stored fit belongs to these tables" if fresh else "the stored fit is out of date: run fit"}
    _start(directory)
    hyper, spread = read_hyper(directory)
    if rounds:
        say(f"searching hyper-parameters, {rounds} round(s) of about 8 minutes on two cores")
        with ProcessPoolExecutor(2, initializer=_start, initargs=(directory,)) as pool:
            hyper = bt.search(_COLUMNS, hyper, rounds, lambda candidates: list(pool.map(_objective, candidates)), FLOORS, say)
        hyper = _rounded(hyper)
    say("leaving each paper out once to set the width of the intervals")
    spread = spread_for(bt.leave_one_paper_out(_COLUMNS, hyper))
    path = os.path.join(directory, "derived", "hyper.json")
    write_text(path, json.dumps({"format": 2, "how": "python3 main.py fit --search N", "spread": spread, "hyper": hyper._asdict()}, indent=1) + "\n")
    say("fitting")
    fitted = posterior.fit(_COLUMNS, hyper, spread)
    path = os.path.join(directory, *store.PATH)
    write_text(path, store.posterior_text(fitted, digest))
    return {"ok": True, "path": path, "features": len(fitted.names), "benchmarks": len(fitted.benchmarks), "spread": spread,
            "message": f"wrote {path}: {len(fitted.names)} features, {len(fitted.benchmarks)} benchmarks"}


def _rounded(hyper: Hyper) -> Hyper:
    """Two significant digits: more would be noise."""
    two = lambda x: float(f"{x:.2g}")  # noqa: E731
    shares = {axis: (two(a), two(b), round(1 - two(a) - two(b), 6)) for axis, (a, b, _) in hyper.share.items()}
    return Hyper({k: two(v) for k, v in hyper.prior.items()}, shares, {k: two(v) for k, v in hyper.heterogeneity.items()},
                 two(hyper.noise), two(hyper.binomial), two(hyper.overlap), {k: min(1.0, two(v)) for k, v in hyper.trust.items()})


def spread_for(scored: Sequence[bt.Scored], level: float = 0.8) -> float:
    """The factor on local variance that makes `level` of the left-out results fall inside their intervals.

    The search leaves intervals a little narrow, because narrow ones score well where the model is right. The factor is
    found on the predictions' full standard deviation, contrasts of all papers pooled, and rounded to two digits.
    """
    z = bt.NORMAL.inv_cdf(0.5 + level / 2)
    ratios = sorted(abs(x.actual - x.expected) / x.sd for x in scored)
    needed = ratios[min(len(ratios) - 1, int(level * len(ratios)))] / z
    return float(f"{max(1.0, needed ** 2):.2g}")


def backtest(library: Library, papers: Sequence[str], say: Callable[[str], None]) -> dict:
    """Leave-one-paper-out summaries: overall, by axis that moved, by family, by paper; with the stored spread."""
    _start(library.shipped)
    hyper, spread = read_hyper(library.shipped)
    say("predicting each paper from the others")
    wide = hyper._replace(heterogeneity={k: v * spread for k, v in hyper.heterogeneity.items()}, noise=hyper.noise * spread,
                          binomial=hyper.binomial * spread)
    scored = bt.leave_one_paper_out(_COLUMNS, hyper, papers=list(papers) or None, predict_with=wide)
    paper_of = lambda x: _COLUMNS[x.column].paper  # noqa: E731

    def group(key) -> dict:
        groups: dict[str, list] = {}
        for item in scored:
            groups.setdefault(key(item), []).append(item)
        return {name: s._asdict() for name in sorted(groups) if (s := bt.summary(groups[name], paper_of))}

    def moved(item) -> str:
        column = _COLUMNS[item.column]
        kinds = [k.partition("_")[0] for k, x, y in zip(KINDS, column.kinds[item.first], column.kinds[item.second]) if x != y]
        unique = list(dict.fromkeys(kinds))
        if not unique:
            return "visual_tokens"
        return unique[0] if len(unique) == 1 else "several"

    overall = bt.summary(scored, paper_of)
    result = {"overall": overall._asdict() if overall else None, "by_axis": group(moved),
              "by_family": group(lambda x: _COLUMNS[x.column].family), "by_paper": group(paper_of), "spread": spread}
    return _numbers(result)


def _numbers(value):
    if isinstance(value, dict):
        return {k: _numbers(v) for k, v in value.items()}
    return number(value) if isinstance(value, float) else value


def backtest_text(result: dict, style: Style) -> str:
    """The summaries as tables."""
    lines = wrap("each paper predicted from the others (leave one paper out); MAE and CRPS as ratios to always saying \"no change\"", style)
    head = ["", "contrasts", "papers", "MAE", "CRPS", "in 80%", "pooled", "sign"]

    def row(name, s):
        return [name, str(s["contrasts"]), str(s["papers"]), f"{s['mae_ratio']:.2f}", f"{s['crps_ratio']:.2f}", f"{100 * s['coverage']:.0f}%",
                f"{100 * s['coverage_pooled']:.0f}%", "-" if s["sign"] is None else f"{100 * s['sign']:.0f}%"]

    for title, groups in (("", {"overall": result["overall"]} if result["overall"] else {}), ("by what moved", result["by_axis"]),
                          ("by family", result["by_family"]), ("by paper", result["by_paper"])):
        if groups:
            lines += ["", *([title] if title else []), *table(head, [row(name, s) for name, s in groups.items()], "lrrrrrrr", style)]
    lines += ["", *wrap("in 80%: share of results inside the 80% interval, mean over papers (pooled: over all contrasts); sign: right signs "
                        "where more than 1 point was predicted", style)]
    return "\n".join(lines)
