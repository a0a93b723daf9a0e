"""`fit`: make the stored fit from the published tables.

In: the library. Out: the files of tables/derived: hyper.json (what the search found), posterior.bin
(the fit), ability.json (the lines of released models' scores, ability.py), standing.json and
proxies.json. How well such fits predict: backtest.py.
"""

import functools
import json
import os
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor

from ..base.reading import read_json
from ..base.write import write_bytes, write_text
from ..effects import backtest as bt
from ..effects import proxy, proxy_rows, store
from ..effects.baselines import Elsewhere, judge
from ..effects.carriers import keep_columns
from ..effects.columns import Column, columns
from ..effects.fit import fit
from ..effects.hyper import Hyper
from ..effects.mixes import know_mixes
from ..effects.posterior import Posterior
from ..effects.record import Fared, record
from ..effects.standing import PATH as STANDING
from ..effects.standing import dumped, standing, usual
from ..effects.widths import spread_for, widened, widths_for
from ..evidence.tables import load_papers
from ..library import Library
from ..released import ability
from ..released.models import Landscape
from ..terms.tasks import parse_mix
from ..terms.vocabulary import Vocabulary
from . import plans, schedule

# Smallest variances the search may reach, set by hand. Leave-one-paper-out scores cannot see
# effects of components that one paper alone has; the floors of priors decide how far a change that
# was printed once is believed, those of heterogeneity how wide the intervals of axes are on which
# papers disagree most (training, connectors and resolution covered about 70 % without them).
FLOORS = {
    ("prior", "connector"): 0.03,
    ("prior", "data"): 0.1,
    ("prior", "encoder_family"): 0.02,
    ("prior", "encoder_line"): 0.1,
    ("prior", "llm"): 0.03,
    ("prior", "llm_line"): 0.03,
    ("prior", "llm_make"): 0.03,
    ("prior", "encoder"): 0.01,
    ("prior", "frozen_encoder"): 0.05,
    ("prior", "llm_size"): 0.04,
    ("prior", "visual_tokens_high"): 0.01,
    ("heterogeneity", "training"): 0.15,
    ("heterogeneity", "connector"): 0.07,
    ("heterogeneity", "connector_class"): 0.12,
    ("heterogeneity", "resolution"): 0.13,
    ("heterogeneity", "resolution_slope"): 0.05,
}

HOW = (
    "python3 main.py fit --search N, on the 104 papers with a step of 2.5 and a score by axis"
    " (encoder and resolution count as much as the language model), then by hand: the prior of data"
    " (0.1; the search gave 0.05, which leaves less of a printed change) and trust, which"
    " was chosen"
    ' so that encoders, connectors and data lose least to "no change" (encoder 0.6, connector 0.3,'
    " data 0.4, resolution 0.85, visual tokens 0.75); see recipes/effects/README.md"
)

_COLUMNS: list[Column] = []


def _start(directory: str) -> None:
    """Load the columns once per worker process."""
    words = Vocabulary(directory)
    _COLUMNS[:] = columns(
        load_papers([directory], words.records("benchmark"), shipped=directory, words=words), words
    )


def _objective(hyper: Hyper) -> float:
    return bt.objective(_COLUMNS, hyper)


def _left_out(hyper: Hyper, papers: Sequence[str]) -> list[bt.Scored]:
    return bt.leave_one_paper_out(_COLUMNS, hyper, papers=papers)


def _fared(
    scored: Sequence[bt.Scored], columns: Sequence[Column]
) -> tuple[float, dict[str, float], list[Fared]]:
    """The spread of the intervals, the widths of benchmarks, and how answers of each kind fared."""
    spread = spread_for(scored)
    wide = widened(scored, columns, spread)
    judged = judge(wide, columns, Elsewhere(columns, bt.scales(columns)), lambda *_: None)
    return spread, widths_for(scored, columns, spread), record(judged)


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
        return {
            "ok": fresh,
            "message": (
                "the stored fit belongs to these tables"
                if fresh
                else "the stored fit is out of date: run fit"
            ),
        }
    _start(directory)
    hyper, _ = read_hyper(directory)
    if rounds:
        say(f"searching hyper-parameters, {rounds} round(s) of about 8 minutes on two cores")
        with ProcessPoolExecutor(2, initializer=_start, initargs=(directory,)) as pool:
            hyper = bt.search(
                _COLUMNS,
                hyper,
                rounds,
                lambda candidates: list(pool.map(_objective, candidates)),
                FLOORS,
                say,
            )
        hyper = _rounded(hyper)
    say("fitting, and leaving each paper out once to set the width of the intervals")
    fitted, scored = _fitted(library, hyper)
    spread, widths, fared = _fared(scored, _COLUMNS)
    fitted.spread, fitted.widths = spread, widths
    _write_hyper(directory, hyper, spread)
    _write_record(directory, fared)
    _write_ability(directory, library)
    say("setting unusual parts beside usual ones")
    _write_standing(library, digest)
    write_proxies(library, _COLUMNS, fitted, digest)
    path = os.path.join(directory, *store.PATH)
    write_bytes(path, store.posterior_bytes(fitted, digest))
    return {
        "ok": True,
        "path": path,
        "features": len(fitted.names),
        "benchmarks": len(fitted.benchmarks),
        "spread": spread,
        "message": (
            f"wrote {path}: {len(fitted.names)} features, {len(fitted.benchmarks)} benchmarks"
        ),
    }


def _fitted(library: Library, hyper: Hyper) -> tuple[Posterior, list[bt.Scored]]:
    """The fit of all columns, and every contrast as the other papers predict it. Three processes
    share the work.
    """
    mixes = {
        name: parse_mix(name, library.words).benchmarks
        for name in ("balanced", *library.words.records("family"))
    }
    families = {k: record["family"] for k, record in library.words.records("benchmark").items()}
    # papers by how many rows they have, so that both halves take about as long
    rows = Counter()
    for column in _COLUMNS:
        rows[column.paper] += len(column.rows)
    papers = [paper for paper, _ in rows.most_common()]
    with ProcessPoolExecutor(2, initializer=_start, initargs=(library.shipped,)) as pool:
        waiting = [pool.submit(_left_out, hyper, papers[half::2]) for half in range(2)]
        fitted = fit(_COLUMNS, hyper)
        know_mixes(fitted, mixes, families)
        keep_columns(fitted, _COLUMNS)
        scored = sorted(one for half in waiting for one in half.result())
    return fitted, scored


def _write_hyper(directory: str, hyper: Hyper, spread: float) -> None:
    """tables/derived/hyper.json."""
    value = {"format": 2, "how": HOW, "spread": spread, "hyper": hyper._asdict()}
    path = os.path.join(directory, "derived", "hyper.json")
    write_text(path, json.dumps(value, indent=1) + "\n")


def _write_ability(directory: str, library: Library) -> None:
    """The lines of released models' scores (tables/derived/ability.json)."""
    lines = ability.lines(ability.numbered(Landscape(library.words).readings()))._asdict()
    value = {"format": 2, "how": "python3 main.py fit", "lines": lines}
    text = json.dumps(value, separators=(",", ":"))
    write_text(os.path.join(directory, "derived", "ability.json"), text + "\n")


def _write_record(directory: str, fared: Sequence[Fared]) -> None:
    """How answers of each kind fared on left-out papers, one row a kind (effects/record.py)."""
    rows = ",\n".join(" " + json.dumps(one, ensure_ascii=False) for one in fared)
    head = {"format": 2, "how": "python3 main.py fit", "columns": Fared._fields}
    text = json.dumps(head, indent=1)[:-2] + ',\n "rows": [\n' + rows + "\n]}\n"
    write_text(os.path.join(directory, "derived", "record.json"), text)


def _write_standing(library: Library, digest: str) -> None:
    """tables/derived/standing.json."""
    known = functools.partial(usual, library.practice, library.words)
    papers = library.papers(shipped_only=True)
    value = standing(papers, library.words, known)
    value = value._replace(papers={**plans.sources(papers), "changes": schedule.sources(library)})
    write_text(os.path.join(library.shipped, *STANDING), dumped(value, digest))


def write_proxies(library: Library, data: Sequence[Column], fitted: Posterior, digest: str) -> None:
    """tables/derived/proxies.json."""
    found = list(proxy_rows.cases(data, library.words, fitted))
    value = proxy.added(found)._replace(checks=proxy.checked(found))
    write_text(os.path.join(library.shipped, *proxy.PATH), proxy.dumped(value, digest))


def _rounded(hyper: Hyper) -> Hyper:
    """Two significant digits: more would be noise."""
    two = lambda x: float(f"{x:.2g}")
    shares = {
        axis: (two(a), two(b), round(1 - two(a) - two(b), 6))
        for axis, (a, b, _) in hyper.share.items()
    }
    return Hyper(
        {k: two(v) for k, v in hyper.prior.items()},
        shares,
        {k: two(v) for k, v in hyper.heterogeneity.items()},
        two(hyper.noise),
        two(hyper.binomial),
        two(hyper.overlap),
        {k: min(1.0, two(v)) for k, v in hyper.trust.items()},
    )
