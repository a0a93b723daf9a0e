"""When nothing fits: which constraints would have to give, by how much, and what that buys.

In: the scores of a space and the costs of its pairs under limits that leave nothing. Out: Advice.
What is said to be needed is rounded towards the generous side and then searched with, so that
whoever types it gets a recipe with at least the gain that is named.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from ..cost.training import Calibration
from . import rank
from . import scores as scores_
from .limits import Constraints
from .pairs import Pair, Pairs
from .space import Space, space


class Advice(NamedTuple):
    """A constraint to relax: from its limit to what it needs, and the gain of the best recipe then.

    reason: memory, speed, latency, budget (numbers in `unit`); format (of the LLM's weights),
    licence, fix or avoid (limit: the words of the constraint; needs: other words, or None where it
    has to go). together: the other constraints that must give at the same time; those of fix, avoid
    and licence have to go.
    """

    reason: str
    limit: float | str
    needs: float | str | None
    unit: str
    gain: float
    together: tuple[str, ...] = ()


# of the best recipe under some constraints; None: nothing fits
GainUnder = Callable[[Constraints], float | None]


def gain_of(scores: scores_.Scores, calibration: Calibration, level: float, risk: str) -> GainUnder:
    """The gain of the recipe that `pick` would put first."""

    def gain(eased: Constraints) -> float | None:
        found = rank.pick(
            scores, eased, calibration, top=1, level=level, risk=risk, compete=False
        ).recipes
        return found[0].mix.expected if found else None

    return gain


def advice(
    scores: scores_.Scores,
    pairs: Pairs,
    limits: Constraints,
    calibration: Calibration,
    level: float = 0.8,
    risk: str = "expected",
    dropped: tuple[str, ...] = (),
) -> tuple[Advice, ...]:
    """Each constraint that alone makes something fit; where none does, those that do together.
    dropped: what was left out of the limits already.
    """
    gain, out = gain_of(scores, calibration, level, risk), []
    for reason in NUMBERS:
        least = pairs.least(reason) if _limit(limits, reason) is not None else None
        if least:
            out += _numbers(
                limits,
                {reason: _demand(pairs, reason, pairs.of(least[1])[least[2]])},
                gain,
                dropped,
            )
    if limits.memory_gb is not None:
        smaller = ("int8", "int4")[("bf16", "int8", "int4").index(limits.dtype) :]
        found = next(
            (
                (dtype, value)
                for dtype in smaller
                if (value := gain(limits._replace(dtype=dtype))) is not None
            ),
            None,
        )
        out += [Advice("format", limits.dtype, found[0], "", found[1], dropped)] if found else []
    if limits.commercial and (value := gain(limits._replace(commercial=False))) is not None:
        out.append(Advice("licence", "commercial", None, "", value))
    if out:
        return tuple(out)
    # no LLM is left to relax numbers for
    if limits.commercial and all(pairs.refused(x) for x in range(len(pairs.space.languages))):
        free = limits._replace(commercial=False)
        return advice(
            scores,
            Pairs(scores.space, free, scores.words, calibration),
            free,
            calibration,
            level,
            risk,
            (*dropped, "licence"),
        )
    return _together(pairs, limits, gain, dropped)


NUMBERS = ("memory", "speed", "latency", "budget")


def _limit(limits: Constraints, reason: str) -> float | None:
    """The number of a constraint, or None."""
    return {
        "memory": limits.memory_gb,
        "speed": limits.tokens_per_s,
        "latency": limits.latency and limits.latency.ms,
        "budget": limits.budget and limits.budget.amount,
    }[reason]


def _demand(pairs: Pairs, reason: str, pair: Pair) -> float:
    """What a pair needs of a constraint, in the unit of its limit (budget: with the smallest data
    mix).
    """
    if reason != "budget":
        return {"memory": pair.gb, "speed": pair.speed, "latency": pair.ms}[reason]
    budget = pairs.limits.budget
    if budget.kind == "images":
        return pairs.sizes[0] + pairs.stages[0][2]
    return (pair.first + pair.each * pairs.sizes[0]) * budget.amount / pairs.allowed


def _numbers(
    limits: Constraints, demands: Mapping[str, float], gain: GainUnder, dropped: tuple[str, ...]
) -> Iterator[Advice]:
    """Advice to relax these constraints together, in numbers that can be typed."""
    needs = {reason: generous(value, down=reason == "speed") for reason, value in demands.items()}
    change = {
        "memory": lambda v: {"memory_gb": v},
        "speed": lambda v: {"tokens_per_s": v},
        "latency": lambda v: {"latency": limits.latency._replace(ms=v)},
        "budget": lambda v: {"budget": limits.budget._replace(amount=v)},
    }
    eased = limits._replace(
        **{
            key: item
            for reason, value in needs.items()
            for key, item in change[reason](value).items()
        }
    )
    best = gain(eased)
    if best is not None:
        for reason, value in needs.items():
            unit = {"memory": "GB", "speed": "tokens/s", "latency": "ms"}.get(reason) or {
                "flop": "FLOP",
                "gpu_hours": f"{limits.budget.gpu} hours",
                "images": "images",
            }[limits.budget.kind]
            yield Advice(
                reason,
                _limit(limits, reason),
                value,
                unit,
                best,
                (*(other for other in needs if other != reason), *dropped),
            )


def generous(value: float, down: bool = False) -> float:
    """Three significant digits, rounded up (or down): a limit that is met."""
    digit = 10.0 ** (math.floor(math.log10(value)) - 2)
    near = 1 + (1e-12 if down else -1e-12)  # what is met exactly is not rounded away
    return float(f"{(math.floor if down else math.ceil)(value / digit * near) * digit:.3g}")


def _together(
    pairs: Pairs, limits: Constraints, gain: GainUnder, dropped: tuple[str, ...]
) -> tuple[Advice, ...]:
    """The constraints that the pair breaks whose worst breach is the smallest; the licence
    stays.
    """
    best = None
    asked = [reason for reason in NUMBERS if _limit(limits, reason) is not None]
    for x, language in enumerate(pairs.space.languages):
        if pairs.refused(x):
            continue
        for pair in pairs.of(x):
            if pair.context > (language.record.get("context") or math.inf):
                continue
            needs = {reason: _demand(pairs, reason, pair) for reason in asked}
            breach = {
                reason: (
                    _limit(limits, reason) / value
                    if reason == "speed"
                    else value / _limit(limits, reason)
                )
                for reason, value in needs.items()
            }
            worst = max(breach.values(), default=0.0)
            if best is None or worst < best[0]:
                best = (
                    worst,
                    {reason: needs[reason] for reason, ratio in breach.items() if ratio > 1.0},
                )
    return tuple(_numbers(limits, best[1], gain, dropped)) if best and best[1] else ()


def without(
    fix: Mapping[str, object],
    avoid: Mapping[str, Sequence[str]],
    scores: scores_.Scores,
    limits: Constraints,
    calibration: Calibration,
    level: float = 0.8,
    risk: str = "expected",
    last: bool = False,
) -> Iterator[Advice]:
    """Each of --fix, and --avoid of each axis, without which something fits; all of them (with what
    else must give) when nothing else helped (`last`).
    """
    words, only = scores.words, scores.space.only
    cases = [
        ("fix", f"{field}={value}", {k: v for k, v in fix.items() if k != field}, avoid)
        for field, value in fix.items()
    ]
    cases += [
        (
            "avoid",
            f"{field}={values[0]}{f' and {len(values) - 1} more' if len(values) > 1 else ''}",
            fix,
            {k: v for k, v in avoid.items() if k != field},
        )
        for field, values in avoid.items()
    ]
    helped = False
    for reason, text, fixed, avoided in cases:
        best = gain_of(_over(scores, space(words, fixed, avoided, only)), calibration, level, risk)(
            limits
        )
        if best is not None:
            helped = True
            yield Advice(reason, text, None, "", best)
    if scores.space.writable is not None:
        free = scores.space._replace(writable=None)
        best = gain_of(_over(scores, free), calibration, level, risk)(limits)
        if best is not None:
            yield Advice("trainable-with", "as said", None, "", best)
    if last and not helped and (fix or avoid):
        wider, all_of = (
            _over(scores, space(words, {}, {}, only)),
            tuple(name for name, given in (("fix", fix), ("avoid", avoid)) if given),
        )
        best = gain_of(wider, calibration, level, risk)(limits)
        if best is not None:
            yield Advice(all_of[0], "and all others of them", None, "", best, all_of[1:])
        else:
            yield from advice(
                wider,
                Pairs(wider.space, limits, words, calibration),
                limits,
                calibration,
                level,
                risk,
                all_of,
            )


def _over(scores: scores_.Scores, choices: Space) -> scores_.Scores:
    """The scores of another space."""
    return scores_.Scores(choices, scores.baseline, scores.tasks, scores.posterior, scores.words)
