"""Speed and memory of what people wait for, by hand: `python3 tests/bench.py`. Ratios to a bare
`python3 -c pass`.

Not a test: wall time depends on the machine. Each command runs in a process of its own, several
times; the best counts.
"""

import json
import os
import pathlib
import random
import resource
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
MAIN = str(ROOT / "main.py")
COMMANDS = (
    ("help", []),
    ("tokens", ["tokens", "--model", "qwen2-vl", "--image", "448x280"]),
    ("swap", ["swap", "CLIP", "SigLIP"]),
    ("swap --json", ["swap", "7B", "13B", "--json"]),
    ("question: swap", ["swap CLIP for SigLIP on 7B"]),
    ("swap --why", ["swap", "7B", "13B", "--why"]),
    ("swap, one benchmark", ["swap", "MLP", "Q-Former", "--benchmark", "mmmu"]),
    ("pick", ["pick"]),
    ("pick, within a budget", ["pick", "--tasks", "documents", "--budget", "500 A100-hours"]),
    ("ablate", ["ablate"]),
    ("schedule", ["schedule", "lora"]),
    ("tables", ["tables"]),
    ("tables find", ["tables", "find", "siglip"]),
    ("check", ["check"]),
    ("predict, 1 line", None),
)
LINE = b'{"from":{"encoder":"CLIP"},"to":{"encoder":"SigLIP"},"benchmark":"mmmu"}\n'
LEVELS = {
    "encoder": [
        "clip-vit-l-14",
        "siglip-so400m-14",
        "dinov2-vit-l-14",
        "dinov2-vit-l-14+siglip-so400m-14",
    ],
    "llm": ["vicuna-1.5-7b", "vicuna-1.5-13b", "qwen2-7b", "llama-3-8b"],
    "connector": ["mlp-2x-gelu", "q-former", "perceiver"],
    "data": ["llava-665k", "cambrian-7m", "sharegpt4v"],
    "resolution": [224, 336, 384, 448, 672],
}


def lines(count: int) -> bytes:
    """Predictions that hardly repeat: random recipes, one field changed."""
    rng, out = random.Random(1), []
    for _ in range(count):
        before = {field: rng.choice(values) for field, values in LEVELS.items()}
        field = rng.choice(list(LEVELS))
        out.append(
            json.dumps(
                {
                    "from": before,
                    "to": {**before, field: rng.choice(LEVELS[field])},
                    "benchmark": rng.choice(["mmmu", "docvqa", "gqa", "mmvp"]),
                }
            )
        )
    return "\n".join(out).encode() + b"\n"


def best(argv: list[str], stdin: bytes = b"", times: int = 5) -> float:
    """Seconds of the fastest of several runs."""
    seconds = []
    for _ in range(times):
        start = time.perf_counter()
        subprocess.run([sys.executable, *argv], input=stdin, stdout=subprocess.DEVNULL, check=False)
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def large_table(path: pathlib.Path, rows: int, metrics: int) -> None:
    """A table file of rows x metrics cells."""
    names = [f"m{i}" for i in range(metrics)]
    table = {
        "id": "large.t",
        "locator": "T",
        "varies": ["llm"],
        "setting": {},
        "metrics": {name: {"benchmark": "mmmu"} for name in names},
        "rows": [
            {
                "arm": f"arm {i}",
                "set": {"llm_params_b": 1 + i % 70},
                "scores": {
                    name: round((i * 7 + j * 13) % 1000 / 10, 1) for j, name in enumerate(names)
                },
            }
            for i in range(rows)
        ],
    }
    path.write_text(json.dumps({"format": 2, "paper": {"key": "large"}, "tables": [table]}))


def main() -> None:
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # as installed: compiled once
    os.environ.setdefault(
        "PYTHONPYCACHEPREFIX", os.path.join(tempfile.gettempdir(), "bench-pycache")
    )
    bare = best(["-c", "pass"], times=15)
    print(f"python3 -c pass: {1000 * bare:.0f} ms\n\n{'command':<24}{'ms':>7}{'times bare':>12}")
    for name, argv in COMMANDS:
        seconds = best([MAIN, "predict", "-"], LINE) if argv is None else best([MAIN, *argv])
        print(f"{name:<24}{1000 * seconds:>7.0f}{seconds / bare:>12.1f}")
    many = best([MAIN, "predict", "-"], lines(1000), times=2)
    print(f"{'predict, 1000 lines':<24}{1000 * many:>7.0f}{many / bare:>12.1f}")
    with tempfile.TemporaryDirectory() as folder:
        for rows in (100, 1000):
            large_table(pathlib.Path(folder) / "large.json", rows, 100)
            seconds = best([MAIN, "check", folder], times=2)
            print(
                f"{f'check, {rows * 100:,} cells':<24}{1000 * seconds:>7.0f}{seconds / bare:>12.1f}"
            )
    print(
        f"\nlargest process: {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024:.0f} MB"
    )


if __name__ == "__main__":
    main()
