"""Turn ../shared/costs_reported.jsonl into a registry: `python3 -m tests.migrate.cost_reports
../shared/costs_reported.jsonl tables/registry/cost_reports.json`.

In: reports of people who trained or served a VLM, one JSON line each, with the setup they state and
the command line that was held against it. Out: one row each, with the recipe and the setup as
fields that cost/ can follow. Reported figures are copied as they stand; the estimates of an earlier
version, which the lines carry too, are left out. A device or a method that is not known stops the
run.
"""

import json
import pathlib
import re
import shlex

from recipes.base.write import dump_registry
from recipes.library import Library

from . import main

WORDS = Library().words

DEVICES = {
    "A100": "a100-80gb-sxm",
    "A100-80GB": "a100-80gb-sxm",
    "A100 (size not said)": None,  # as the command has it
    "A100-40GB": "a100-40gb-sxm",
    "A800-80GB": "a800-80gb-sxm",
    "A10G": "a10g",
    "RTX 3090": "rtx-3090",
    "RTX 4090": "rtx-4090",
    "RTX 5090": "rtx-5090",
    "RTX A6000": "rtx-a6000",
    "Jetson AGX Orin": "jetson-agx-orin-64gb",
    "Jetson AGX Orin 32GB": "jetson-agx-orin-32gb",
    "Jetson Orin": "jetson-agx-orin-64gb",
}
IN_COMMAND = {"A100": "a100-80gb-sxm", "A100-40GB": "a100-40gb-sxm"}
METHODS = {
    "LoRA": "lora",
    "LoRA (chat)": "lora",
    "LoRA (base: embeddings and head trained too)": "lora",
    "Q-LoRA": "qlora",
    "full, tower too": "full",
}
ENGINES = {
    "TinyChat": "optimised",
    "MLC": "optimised",
    "transformers": "eager",
    "llama.cpp": "llama.cpp",
}
# Qwen-VL's and MiniCPM-V's fine-tuning scripts use rank 64; Qwen2.5-VL's report says 8
RANKS = {"https://github.com/hiyouga/LlamaFactory/issues/9331": 8}
SAMPLES = {
    "CC3M-595K": 595_000,
    "558K captions": 558_000,
    "LLaVA-Instruct-80K": 80_000,
    "LLaVA-665K": 665_000,
    "open-llava-next 1M": 1_000_000,
}
# what a note says of an earlier version's command is not about the report
OF_THE_COMMAND = ("command", "estimate", "table", "costed at", "no option", "visual tokens set")
RECIPE = (
    "encoder",
    "resolution",
    "connector",
    "visual_tokens",
    "llm",
    "llm_params_b",
    "frozen_encoder",
)
HOW_TO_READ = {
    "kind": "training (GPU-hours), memory (GB on one GPU, or whether it fits) or serving",
    "grade": "clear: the setup is said and nothing speaks against it; odd: a part is guessed, or"
    " the report itself has an explanation that no arithmetic follows",
    "recipe": "what cost/ and latency/ are asked; a field that is absent is LLaVA-1.5-7B's",
    "stage": "alignment (the connector alone) or instruction tuning",
    "source": "where it was said; rows of one source are left out together by --calibration",
}


def flags(command: str) -> dict:
    """The options of a command line; an option without a value is true."""
    out: dict = {}
    words = shlex.split(command)
    for i, word in enumerate(words):
        if word.startswith("--"):
            value = words[i + 1] if i + 1 < len(words) else "--"
            out[word[2:].replace("-", "_")] = True if value.startswith("--") else value
    return out


def number(text):
    """A text as a number where it is one."""
    try:
        value = float(text)
    except (TypeError, ValueError):
        return text
    return int(value) if value == int(value) else value


def row(line: dict, name: str) -> dict:
    """One report in the registry's form."""
    asked, setup = flags(line["command"]), line["setup"]
    recipe = {key: number(asked[key]) for key in RECIPE if key in asked}
    if "frozen_encoder" in recipe:
        recipe["frozen_encoder"] = recipe["frozen_encoder"] == "yes"
    for axis in ("encoder", "connector", "llm"):
        if axis in recipe:
            recipe[axis] = WORDS.resolve(axis, recipe[axis]).slug
    if setup.get("llm") == "qwen-7b":
        recipe.pop("llm_params_b", None)
        recipe["llm"] = "qwen-7b"
    out = {
        "id": name,
        "kind": line["kind"],
        "what": line["what"],
        "recipe": recipe,
        "gpu": DEVICES[setup["gpu"]] or IN_COMMAND[asked["gpu"]],
        "gpus": setup.get("gpus", 1),
    }
    out |= serving(asked, setup) if line["kind"] == "serving" else trained(line, setup)
    kept = ("gpu_hours", "gb", "fits", "decode_ms", "ttft_ms", "prefill_ms", "vision_ms")
    out["reported"] = {key: line["reported"][key] for key in kept if key in line["reported"]}
    notes = [
        part
        for part in (line.get("note") or "").split("; ")
        if part and not any(word in part for word in OF_THE_COMMAND)
    ]
    return out | {
        "grade": line["grade"],
        "note": "; ".join(notes) or None,
        "source": line["source"],
    }


def serving(asked: dict, setup: dict) -> dict:
    """What a served model was asked for, and how it was served."""
    text_only = "visual_tokens" not in setup and "vision" not in str(setup.get("precision"))
    return {
        "dtype": asked["dtype"],
        "engine": ENGINES[setup["engine"]] if setup.get("engine") else "optimised",
        "prompt": number(asked.get("prompt", 64)),
        "output": number(asked.get("output", 128)),
        "text_only": text_only and not setup.get("encoder"),
    }


def trained(line: dict, setup: dict) -> dict:
    """How a model was trained."""
    method = setup.get("method")
    batch = re.match(r"\d+", str(setup.get("batch_per_gpu") or ""))
    zero = re.match(r"\d", str(setup.get("zero", "")))
    tuning = METHODS[method] if method else "full"
    samples = SAMPLES.get(setup.get("data"))
    if line["reported"].get("per"):
        samples = int(re.sub(r"\D", "", line["reported"]["per"]))
    return {
        "stage": "alignment" if setup.get("trains") == "connector" else "instruction tuning",
        "tuning": tuning,
        "zero": int(zero[0]) if zero else None,
        "rank": RANKS.get(line["source"], 64) if tuning != "full" else None,
        "embeddings": "embeddings" in str(method),
        "batch": int(batch[0]) if batch else None,
        "sequence": setup.get("sequence"),
        "samples": samples,
        "nodes": setup.get("nodes", 1),
    }


def migrate(source: pathlib.Path, target: pathlib.Path) -> None:
    lines = [json.loads(text) for text in source.read_text("utf-8").splitlines()]
    counts: dict[str, int] = {}
    rows = []
    for line in lines:
        place = line["source"].removeprefix("https://github.com/").split("/")
        name = f"{place[1].lower()}.{re.sub(r'[^0-9]', '', place[-1]) or 'readme'}"
        counts[name] = counts.get(name, 0) + 1
        rows.append(row(line, f"{name}.{counts[name]}"))
    value = {"format": 2, "how_to_read": HOW_TO_READ, "reports": rows}
    target.write_text(dump_registry(value), encoding="utf-8")


if __name__ == "__main__":
    main(migrate)
