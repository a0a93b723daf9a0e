"""`latency`: how long a recipe takes to answer, and the memory it needs.

In: a Recipe, a device, an engine and the library. Out: Latency, Memory and the LLM they stand for.
Raises flops.MissingFigure. Does not print.
"""

from ..cost import flops, latency, memory
from ..library import Library
from ..picker.space import Language
from ..terms.recipe import Recipe
from .parts import language_part, visual_part


def timing(
    library: Library,
    recipe: Recipe,
    gpu: str,
    gpus: int,
    dtype: str,
    engine: str | latency.Engine,
    batch: int,
    prompt: int,
    output: int,
) -> tuple[latency.Latency, memory.Memory, Language]:
    """Latency and memory of answering with a recipe. Raises flops.MissingFigure."""
    visual, language = visual_part(library, recipe), language_part(library, recipe)
    record = language.record
    connector = flops.connector_params(
        visual.recipe.connector or "", visual.width, flops.need(record, "hidden_size")
    )
    value = latency.answer(
        library.words.records("hardware")[gpu],
        record,
        visual.encoders,
        connector,
        visual.visual_tokens,
        visual.grid_tokens,
        prompt,
        output,
        dtype,
        batch,
        gpus,
        engine,
    )
    return (
        value,
        memory.inference(
            record,
            visual.encoder_params,
            connector,
            visual.visual_tokens + prompt + output,
            dtype,
            batch,
        ),
        language,
    )


def fit_notes(
    held: memory.Memory, hardware: dict, gpus: int, asked: float | None = None
) -> list[str]:
    """Does it fit in the devices' memory? `asked`: in so many GB, which is answered either way."""
    if asked is not None:
        return [
            f"{held.total:.1f} GB {'fit' if held.total <= asked else 'do not fit'} in {asked:g} GB"
        ]
    room = (hardware.get("memory_gb") or 0) * gpus
    if not room:
        return []
    if held.total > room:
        return [
            f"{held.total:.1f} GB do not fit in {room:g} GB"
            f" ({hardware['slug']}{f' x {gpus}' if gpus > 1 else ''})"
        ]
    return []
