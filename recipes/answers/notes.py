"""What must be said beside a pick: what was assumed, what a limit does, what would have to give.

In: a PickAnswer. Out: sentences (the key `warnings` of `pick --json`). Computes nothing.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..base.wording import plural
from ..picker.limits import TRAINING, Constraints
from ..picker.rank import Pick
from ..terms.licences import licence
from ..terms.recipe import typed
from ..terms.units import PRINTED_PRICE, gpu_name
from ..terms.vocabulary import Vocabulary

if TYPE_CHECKING:
    from ..picker.relax import Advice
    from .pick import PickAnswer

CHOSEN_BY = {
    "lower": "the lower end of the interval",
    "p_better": "the probability of beating the baseline",
}


def warnings(answer: "PickAnswer") -> tuple[str, ...]:
    """The notes of a pick, in the order in which they are read."""
    result, asked, library = answer.result, answer.asked, answer.library
    return (
        "gains are against LLaVA-1.5-7B trained the same way; deltas of one recipe share their"
        " uncertainty",
        *_money(asked.limits, result),
        *_device(answer),
        *_licence_and_images(library.words, asked.limits, result),
        *_data(answer),
        *(
            [
                f"chosen by {CHOSEN_BY[result.risk]}, over the whole space; P(best), ties and what"
                " to ablate first go by the expected gain"
            ]
            if result.risk in CHOSEN_BY
            else []
        ),
        *(_relaxed(one, asked.fix) for one in result.advice),
        *_hopeless(result),
        *library.strange(),
        *library.counted_twice(),
    )


def _money(limits: Constraints, result: Pick) -> Iterator[str]:
    if (limits.budget, limits.latency, limits.memory_gb, limits.tokens_per_s) == (None,) * 4:
        yield "no --budget, --latency, --speed or --memory: nothing limits what the recipes cost"
    if limits.budget and "budget" not in dict(result.excluded) and result.recipes:
        yield "the budget excludes nothing: every data mix of the tables fits into it"
    lost = dict(result.excluded).get(TRAINING, 0)
    if lost:
        named = (
            "" if limits.budget.gpus else " (a node, as the budget names none: 8xH100 for a day)"
        )
        yield (
            f"full training of {lost:,} recipes does not fit on {limits.gpus}"
            f" {gpu_name(limits.training_gpu)}"
            f"{named}; LoRA either does not, or would not lead: cost --tuning lora, qlora (which no"
            " table sets beside full training)"
        )
    if limits.budget and limits.budget.assumed_price:
        price, gpu, source = PRINTED_PRICE
        yield (
            f"${price:g} per {gpu_name(gpu)}-hour is assumed, the one price that a source prints"
            f" ({source}): --budget '$… at $… per A100-hour' says yours"
        )
    if limits.budget and limits.budget.assumed_gpu:
        yield (
            "the budget names no GPU: its hours are taken to be of"
            f" {gpu_name(limits.budget.gpu)} (--budget '500 H100-hours', '$… at $… per H100-hour'"
            " say which)"
        )


def _device(answer: "PickAnswer") -> Iterator[str]:
    limits, recipes = answer.asked.limits, answer.result.recipes
    if not recipes:
        return
    first = recipes[0].costs
    if answer.asked.deploy and limits.latency is None and limits.tokens_per_s is None:
        yield (
            f"--deploy names a device and no limit: on {gpu_name(first.latency_gpu)} the first"
            f" recipe takes {first.latency.ttft_ms:,.0f} ms to its first token and"
            f" {first.memory.total:.1f} GB (--latency, --speed and --memory set limits)"
        )
    room = answer.library.words.records("hardware")[limits.device].get("memory_gb")
    if room and first.memory.total > room:
        yield (
            f"the first recipe needs {first.memory.total:.0f} GB and does not fit into one"
            f" {gpu_name(first.latency_gpu)} ({room:g} GB): its latency is only arithmetic"
            " (--memory or --deploy sets a limit)"
        )


def _licence_and_images(words: Vocabulary, limits: Constraints, result: Pick) -> Iterator[str]:
    if limits.commercial and result.recipes:
        found = licence(words, result.recipes[0].language.record.get("license"))
        if found.commercial == "conditions":
            yield (
                f"the licence of {result.recipes[0].language.slug} permits commercial use with"
                f" conditions: {found.why}"
            )
    if limits.images > 1:
        yield (
            f"--images {limits.images} multiplies tokens, latency and memory; how many samples with"
            " several images or frames a data mix has stands in no table here, so whether the"
            " recipe learns to use them is not known"
        )


def _data(answer: "PickAnswer") -> Iterator[str]:
    """What the hours do not count of the first recipe's data."""
    if not answer.result.recipes:
        return
    slug = answer.result.recipes[0].data.slug
    mix = answer.library.words.mixes.mix(slug)
    before = mix.before[1:] if mix else ()  # the first is the captions of the connector's stage
    if before:
        yield (
            f"{slug} goes on from {' and '.join(before)}: the hours do not count training on that"
        )
    if answer.frames:
        yield (
            f"the hours count one image a sample: where {slug} has videos or several images they"
            " are too low; time, memory and context are for"
            f" {plural(answer.asked.limits.images, answer.frames)} a request (--images)"
        )


def _relaxed(one: "Advice", fix) -> str:
    """What gives when one constraint is relaxed."""
    gives = f"something fits, the best recipe gaining {one.gain:+.1f}"
    rest = "".join(
        f", without --{name}" if name in ("licence", "fix", "avoid") else f", {name} as said here"
        for name in one.together
    )
    rest += "," if rest else ""
    if one.reason in ("licence", "fix", "avoid", "trainable-with"):
        field = str(one.limit).partition("=")[0]
        named = one.reason == "fix" and field in fix
        said = f"{field}={typed(field, fix[field])}" if named else one.limit
        return f"without --{one.reason} {said}{rest} {gives}"
    if one.reason == "format":
        return (
            f"with the LLM in {one.needs} instead of {one.limit} (--dtype {one.needs}){rest}"
            f" {gives}"
        )
    return (
        f"{one.reason}: {'at least' if one.reason == 'speed' else 'at most'} {_plain(one.limit)}"
        f" {one.unit} is asked; with {_plain(one.needs)} {one.unit}{rest} {gives}"
    )


def _hopeless(result: Pick) -> Iterator[str]:
    if not result.recipes and not result.advice:
        full = dict(result.excluded).get("context") == result.considered
        yield "no limit can be relaxed so that something fits" + (
            ": the tokens of the images leave no room in any LLM's context (fewer --images)"
            if full
            else ""
        )


def _plain(value: float) -> str:
    return f"{value:,.3g}" if value < 100 else f"{value:,.0f}" if value < 1e9 else f"{value:.3g}"
