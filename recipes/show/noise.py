"""`noise`: the view (its JSON) and the text made from it.

In: a NoiseAnswer, then its view. Out: a plain dictionary, lines of text.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..answers.benchmarks import Z80
from ..base.wording import number, percent, plural, signed
from .text import Style, wrap

if TYPE_CHECKING:
    from ..answers.noise import NoiseAnswer


def view(answer: "NoiseAnswer") -> dict:
    """The answer as plain values."""
    rest = {k: number(v) if isinstance(v, float) else v for k, v in answer._asdict().items()}
    return {**rest, "verdict": verdict(answer)}


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


def size(points: float) -> str:
    """Points with two digits; whole ones from a hundred on."""
    return f"{points:.2g}" if points < 99.5 else f"{points:.0f}"


def text(value: Mapping, name: str, style: Style) -> str:
    """The verdict, how far runs lie apart, and what else could make the difference."""
    ends = "" if value["mine"] is None else f"{value['mine']:g} against {value['paper']:g}: "
    head = f"{name}: {ends}{value['verdict']}"
    lines = [style.paint(line, "bold") for line in wrap(head, style, hang="  ")]
    if value["sd"] is not None:
        least = "at least " if value["lower_bound"] else ""
        asked = f", {value['questions']:,} questions" if value["questions"] else ""
        lines += wrap(
            f"two runs of one recipe differ with a standard deviation of {least}"
            f"{size(value['sd'])} points{asked}; by as much as this or more in"
            f" {percent(value['p_as_far'])} of cases; clear at 80 %: {size(value['clear80'])},"
            f" at 95 %: {size(value['clear95'])}",
            style,
            "  ",
        )
    if value["repeated"] is not None:
        lines += wrap(
            f"printed over repeated runs of one set-up: a deviation of {size(value['repeated'])}"
            f" (median of {plural(value['repeated_rows'], 'row')}), by which"
            f" {size(Z80 * 2**0.5 * value['repeated'])} would be clear at 80 % there",
            style,
            "  ",
        )
    if value["beside"]:
        lines += wrap(f"beside noise: {value['beside']}", style, "  ")
    return "\n".join([*lines, f"next: benchmarks {value['benchmark']}"])
