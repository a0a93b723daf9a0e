"""One recipe served one way: time and memory of an answer, with notes. `latency` asks for many.

In: a Recipe, a Service and the library. Out: Served. Raises flops.MissingFigure. Does not print.
"""

from collections.abc import Mapping
from typing import NamedTuple

from ..cost import flops, latency, memory
from ..cost.fit import TIGHT
from ..library import Library
from ..picker.space import Language
from ..terms.recipe import Recipe
from .parts import language_part, visual_part

# "47 tokens/s" at full power, "19.3" on a 32 GB board that is not (cost_reports.json,
# jetson-containers.412)
POWER = (
    "the rates are those of the highest power mode: in a lower one an AGX Orin was reported 2.4"
    " times slower"
)


class Service(NamedTuple):
    """How a model is served. gpu: hardware slug; engine: a name, or rates of one's own; batch:
    requests that run together, of `images` each; asked_gb: the memory to judge (None: the
    device's)."""

    gpu: str = "l4"
    gpus: int = 1
    dtype: str = "bf16"
    engine: str | latency.Engine = "optimised"
    batch: int = 1
    prompt: int = 64
    output: int = 128
    images: int = 1
    asked_gb: float | None = None


class Served(NamedTuple):
    """Latency (None where the registry lacks the device's rates) and memory of an answer. ends: the
    same on the fastest and the slowest host that a source shows, where launches depend on it."""

    latency: latency.Latency | None
    ends: tuple[latency.Latency, latency.Latency] | None
    memory: memory.Memory
    room_gb: float | None
    language: Language
    service: Service
    recipe: Recipe
    notes: tuple[str, ...] = ()

    @property
    def status(self) -> str | None:
        """fits, tight or does not fit; None where the device's memory is not known."""
        if self.room_gb is None:
            return None
        if self.memory.total > self.room_gb:
            return "does not fit"
        return "fits" if self.memory.total <= TIGHT * self.room_gb else "tight"


def timing(library: Library, recipe: Recipe, service: Service) -> Served:
    """Latency and memory of answering with a recipe. Raises flops.MissingFigure."""
    visual, language = visual_part(library, recipe), language_part(library, recipe)
    record, images = language.record, service.images
    connector = flops.connector_params(
        visual.recipe.connector or "", visual.width, flops.need(record, "hidden_size")
    )
    device = library.words.records("hardware")[service.gpu]
    encoders = tuple((each, side, views * images) for each, side, views in visual.encoders)

    def at(engine: str | latency.Engine) -> latency.Latency:
        return latency.answer(
            device,
            record,
            encoders,
            connector,
            visual.visual_tokens * images,
            visual.grid_tokens * images,
            latency.Load(
                service.prompt,
                service.output,
                service.dtype,
                service.batch,
                service.gpus,
                engine,
            ),
        )

    name = service.engine
    rates = latency.rates_of(name)
    tokens = visual.visual_tokens * images + service.prompt
    lead, side, views = max(encoders, key=lambda each: flops.trunk_params(each[0]))
    held = memory.inference(
        record,
        visual.encoder_params,
        connector,
        tokens + service.output,
        service.dtype,
        service.batch,
        memory.Shown(flops.patch_tokens(lead, side) * views, lead.get("width") or 1024),
        tokens if rates.prompt_logits else 0.0,
    )
    room = service.asked_gb or (device.get("memory_gb") or 0) * service.gpus
    slow = isinstance(name, str) and rates.slow_layer_ms > 1.0
    known = peak(device) and device.get("memory_bandwidth_gb_s")
    whole = at(name) if known else None
    ends = tuple(at(end) for end in latency.span(name)) if known and slow else None
    return Served(whole, ends, held, room or None, language, service, recipe)


def peak(device: Mapping) -> float | None:
    """TFLOP/s of a device in 16 bit, where a source prints it."""
    return device.get("bf16_dense_tflops") or device.get("fp16_dense_tflops")


def _notes(library: Library, value: Served) -> list[str]:
    """What one must know to plan by these numbers, beside what was assumed about the parts."""
    service = value.service
    device = library.words.records("hardware")[service.gpu]
    out = []
    if value.latency is None:
        out.append(
            f"no source in the registry prints how fast {service.gpu} computes and reads: times are"
            " not known"
        )
    if service.dtype == "bf16" and _without_bf16(device):
        out.append(f"{service.gpu} has no bf16: served in fp16, whose rates these are")
    if device.get("kind") == "gpu-soc":
        out.append(POWER)
    if service.engine == "llama.cpp" and device.get("kind") != "gpu-soc":
        out.append(
            "of llama.cpp no source shows the prefill beyond Orin: its compute share is assumed"
        )
    return out


def _without_bf16(device) -> bool:
    """Whether a device is known for fp16 and not for bf16. (Orin has bf16, at the rate of fp16.)"""
    known = device.get("fp16_dense_tflops") and not device.get("bf16_dense_tflops")
    return bool(known and device.get("kind") == "gpu")
