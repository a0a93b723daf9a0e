"""Adopt or train, as text: what a released model prints beside the level that a recipe can be
expected to reach.

In: the key `adopt` of the view of `pick` (answers/adopt.py makes it). Out: a sentence, and its
lines on the first screen. Does not judge.
"""

from collections.abc import Mapping

from .text import Style, block


def adopt_line(adopt: Mapping | None, style: Style) -> list[str]:
    """The released model that makes the recipe unnecessary, or does not."""
    lines = block(adopt_text(adopt), style, "  adopt?      ", 4)
    return [style.paint(line, "bold") for line in lines]


def adopt_text(adopt: Mapping | None) -> str:
    """The same as one sentence: what a model prints, beside the level that the recipe can be
    expected to reach, and how far such a forecast was off.
    """
    if not adopt:
        return "no released model prints scores for these tasks"
    if not adopt["models"]:
        told = part_text(adopt)
        return NOT_HALF + (f"; {told}" if told else "")
    model, cell = telling(adopt)
    size = f" ({model['params_b']:.3g}B)" if model["params_b"] else ""
    d = digits(cell)
    text = (
        f"{verdict_text(adopt, VERDICTS)}: {model['model']}{size}"
        f" {'prints' if cell['kind'] == 'printed' else 'is estimated at'}"
        f" {cell['name']} {cell['value']:.{d}f}; "
    )
    if cell["pick"] is not None:
        text += f"models with such an LLM: {level_text(cell)}"
        by_gain = cell["pick_by_gain"] if adopt["verdict"] != "adopt" else None
        return text if by_gain is None else f"{text}; by this recipe's gain {by_gain:.{d}f}"
    text += "this recipe's level there is not known"
    other = next((c for c in model["benchmarks"] if c["pick"] and c["kind"] == "printed"), None)
    if not other:
        return text
    return f"{text}; {other['name']} {other['value']:.{digits(other)}f} against {level_text(other)}"


def verdict_text(adopt: Mapping, verdicts: Mapping[str, str]) -> str:
    """Adopt or train, in words."""
    return DISAGREE if adopt["disagree"] else verdicts[adopt["verdict"]]


def level_text(cell: Mapping) -> str:
    """Where models with an LLM stand on a benchmark, and how forecasts like it did."""
    d = digits(cell)
    return (
        f"{cell['pick']:.{d}f} ({cell['pick_low']:.{d}f} to {cell['pick_high']:.{d}f};"
        f" {cell['pick_models']} forecasts: median error {cell['pick_error']:.{d}f})"
    )


def telling(adopt: Mapping) -> tuple[Mapping, Mapping]:
    """The model and its score that tell the verdict best: a model on which the verdict rests, with
    the most that can be compared; what it prints before what is estimated of it, the asked
    families' own benchmarks before those of others, and what can be compared.
    """
    rests = adopt["verdict"] == "adopt"
    model = max(
        adopt["models"],
        key=lambda m: (not rests or 0 < m["compared"] == m["above"], m["compared"]),
    )
    return model, min(
        model["benchmarks"],
        key=lambda c: (c["kind"] != "printed", not c["own"], c["pick"] is None),
    )


def part_text(adopt: Mapping) -> str:
    """Models that print less of the tasks than is worth putting forward: `prints only part: …`."""
    told = ", ".join(f"{one['model']} ({', '.join(one['names'])})" for one in adopt["partial"])
    return f"prints only part: {told}" if told else ""


NOT_HALF = "not known: no released model that fits prints half of these tasks"


DISAGREE = "maybe: models with such an LLM print more, the recipe's own gain leads to less"


VERDICTS = {
    "adopt": "yes, rather than train",
    "train": "no: training is expected to beat the released models that can be compared",
    "unclear": "maybe: a released model may do",
}


def digits(delta_: Mapping) -> int:
    """Decimals of a benchmark's points: none on scales above 500."""
    return 0 if (delta_["max"] or 100) > 500 else 1
