"""`noise`: the view (its JSON) and the text made from it.

In: a NoiseAnswer, then its view. Out: a plain dictionary, lines of text.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..base.wording import number, percent, signed
from .text import Style, wrap

if TYPE_CHECKING:
    from ..answers.noise import NoiseAnswer


def view(answer: "NoiseAnswer") -> dict:
    """The answer as plain values."""
    rest = {k: number(v) if isinstance(v, float) else v for k, v in answer._asdict().items()}
    return {**rest, "difference": number(answer.difference), "verdict": verdict(answer)}


def verdict(answer: "NoiseAnswer") -> str:
    """Within noise, or not, in a sentence."""
    points = f"{signed(answer.difference, 2)} points"
    if answer.sd is None:
        return f"{points}: not known, as the noise of this benchmark is not"
    size = abs(answer.difference)
    if size < answer.clear80:
        return f"{points} is within the noise of two runs of one recipe"
    if size < answer.clear95:
        return f"{points} is at the edge of noise: clear at 80 %, not at 95 %"
    return f"{points} is more than noise: look for another cause"


def text(value: Mapping, name: str, style: Style) -> str:
    """The verdict, how far runs lie apart, and what else could make the difference."""
    head = f"{name}: {value['mine']:g} against {value['paper']:g}: {value['verdict']}"
    lines = [style.paint(line, "bold") for line in wrap(head, style, hang="  ")]
    if value["sd"] is not None:
        least = "at least " if value["lower_bound"] else ""
        asked = f", {value['questions']:,} questions" if value["questions"] else ""
        lines += wrap(
            f"two runs of one recipe differ with a standard deviation of {least}"
            f"{value['sd']:.2g} points{asked}; by as much as this or more in"
            f" {percent(value['p_as_far'])} of cases; clear at 80 %: {value['clear80']:.2g},"
            f" at 95 %: {value['clear95']:.2g}",
            style,
            "  ",
        )
    if value["beside"]:
        lines += wrap(f"beside noise: {value['beside']}", style, "  ")
    return "\n".join([*lines, f"next: benchmarks {value['benchmark']}"])
