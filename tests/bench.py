"""Speed and memory of what people wait for, by hand: `python3 tests/bench.py`. Ratios to a bare
`python3 -c pass`. `--against COMMIT`: of two versions; `--profile`: where the time goes;
`--growth 10`: the fit on a synthetic set of ten times the size.

Not a test: wall time depends on the machine. Each command runs in a process of its own, several
times; the best counts.
"""

import argparse
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
sys.path.insert(0, str(ROOT))  # for --growth
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


def own_tables(path: pathlib.Path, rows: int) -> None:
    """A user's folder: one table of so many rows, a name of its own in each third."""
    rng = random.Random(2)
    names = ("mmmu", "gqa", "textvqa", "docvqa", "chartqa")
    table = {
        "id": "own.t1",
        "locator": "T",
        "varies": ["encoder", "llm"],
        "setting": {"resolution": 336},
        "metrics": {name: {"benchmark": name} for name in names},
        "rows": [
            {
                "arm": f"arm {i}",
                "set": {
                    "encoder": rng.choice(LEVELS["encoder"]),
                    "llm": rng.choice(LEVELS["llm"]),
                    "connector": rng.choice(LEVELS["connector"]),
                    "data": f"own-mix-{i % 20}" if i % 3 == 0 else rng.choice(LEVELS["data"]),
                },
                "scores": {name: round(rng.uniform(40, 60), 1) for name in names},
            }
            for i in range(rows)
        ],
    }
    # a run of 40 rows is one column: a paper's table is hardly longer
    tables = [
        {**table, "id": f"own.t{k}", "rows": table["rows"][k : k + 40]} for k in range(0, rows, 40)
    ]
    path.write_text(json.dumps({"format": 2, "paper": {"key": "own"}, "tables": tables}))


def renamed(columns: list, copy: int) -> list:
    """Columns as if other papers had printed them: those components that one paper alone has get
    new names, what papers share stays.
    """
    where: dict[str, set[str]] = {}
    for column in columns:
        for name in {name for row in column.features for name in row}:
            where.setdefault(name, set()).add(column.paper)

    def new(row: dict) -> dict:
        return {f"{n}-{copy}" if "=" in n and len(where[n]) == 1 else n: x for n, x in row.items()}

    return [
        column._replace(
            paper=f"{column.paper}-{copy}", features=tuple(new(row) for row in column.features)
        )
        for column in columns
    ]


def growth(times: int) -> None:
    """Seconds of the fit and of leaving papers out, on synthetic sets of several times the size."""
    from recipes.answers.fit import read_hyper
    from recipes.effects import backtest
    from recipes.effects.columns import columns
    from recipes.effects.fit import fit
    from recipes.library import Library

    library = Library()
    data, (hyper, _) = columns(library.papers(), library.words), read_hyper(library.shipped)
    print(f"\n{'columns':>8}{'features':>10}{'fit, s':>9}{'a paper left out, s':>21}")
    size = 1
    while size <= times:
        some = [column for copy in range(size) for column in renamed(data, copy)]
        start = time.process_time()
        fitted = fit(some, hyper)
        middle = time.process_time()
        paper = some[0].paper
        backtest.leave_one_paper_out(some, hyper, papers=[paper])
        print(
            f"{len(some):>8}{len(fitted.names):>10}{middle - start:>9.1f}"
            f"{time.process_time() - middle:>21.1f}",
            flush=True,
        )
        size = size * 2 if size * 2 <= times or size == times else times


PARTS = (
    (
        "imports",
        ("<frozen importlib", "{built-in method marshal", "{built-in method builtins.compil"),
    ),
    ("JSON", ("json/", "{built-in method _json")),
    ("tables and store", ("evidence/", "effects/store", "library.py", "zlib", "base/reading")),
    ("algebra", ("effects/", "base/linalg", "{built-in method math.dist")),
    ("picker", ("picker/",)),
    ("cost", ("cost/",)),
    ("text", ("show/", "{method 'join' of 'str'")),
)


def profile() -> None:
    """Where the time of some commands goes: own time of functions by the files they stand in."""
    code = (
        "import cProfile, contextlib, io, pstats, sys\n"
        "p = cProfile.Profile()\n"
        "p.enable()\n"
        "from recipes import cli\n"
        "with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):\n"
        "    cli.main(sys.argv[1:])\n"
        "p.disable()\n"
        "for (file, _, name), (_, _, own, _, _) in pstats.Stats(p).stats.items():\n"
        "    print(own, name if file == '~' else file)\n"
    )
    heads = [name for name, _ in PARTS] + ["other"]
    print(f"{'ms (as profiled)':<22}" + "".join(f"{name:>18}" for name in heads))
    for name, argv in COMMANDS:
        if argv is None:
            continue
        done = subprocess.run(
            [sys.executable, "-c", code, *argv], capture_output=True, text=True, cwd=ROOT
        )
        sums = dict.fromkeys(heads, 0.0)
        for line in done.stdout.splitlines():
            seconds, _, place = line.partition(" ")
            part = next((k for k, keys in PARTS if any(key in place for key in keys)), "other")
            sums[part] += float(seconds)
        print(f"{name:<22}" + "".join(f"{1000 * sums[head]:>18.0f}" for head in heads), flush=True)


def against(commit: str, times: int) -> None:
    """The same commands in this tree and in a commit's, in turn: ratios to a bare interpreter, and
    of the two.
    """
    with tempfile.TemporaryDirectory() as folder:
        archive = subprocess.run(
            ["git", "archive", commit], cwd=ROOT, capture_output=True, check=True
        ).stdout
        subprocess.run(["tar", "-x", "-C", folder], input=archive, check=True)
        other = os.path.join(folder, "main.py")
        print(f"{'times bare':<24}{commit[:10]:>12}{'here':>8}{'ratio':>8}")
        for name, argv in COMMANDS:
            seconds = {"bare": 9e9, other: 9e9, MAIN: 9e9}
            for _ in range(times):  # in turn: the machine may be slower a minute later
                for key in seconds:
                    given = ["-c", "pass"] if key == "bare" else [key, *(argv or ["predict", "-"])]
                    stdin = LINE if argv is None and key != "bare" else b""
                    seconds[key] = min(seconds[key], best(given, stdin, times=1))
            then, now = seconds[other] / seconds["bare"], seconds[MAIN] / seconds["bare"]
            print(f"{name:<24}{then:>12.1f}{now:>8.1f}{now / then:>8.2f}", flush=True)


def everything() -> None:
    """All commands of this tree, and what grows with the input."""
    bare = best(["-c", "pass"], times=15)

    def show(name: str, seconds: float) -> None:
        print(f"{name:<28}{1000 * seconds:>7.0f}{seconds / bare:>12.1f}", flush=True)

    print(f"python3 -c pass: {1000 * bare:.0f} ms\n\n{'command':<28}{'ms':>7}{'times bare':>12}")
    for name, argv in COMMANDS:
        show(name, best([MAIN, "predict", "-"], LINE) if argv is None else best([MAIN, *argv]))
    show("predict, 1000 lines", best([MAIN, "predict", "-"], lines(1000), times=2))
    with tempfile.TemporaryDirectory() as folder:
        for rows in (165, 3000):
            own_tables(pathlib.Path(folder) / "own.json", rows)
            asked = ["swap", "CLIP", "SigLIP", "--tables", folder]
            show(f"swap, {rows} rows of one's own", best([MAIN, *asked], times=2))
            if rows == 165:
                seconds = best([MAIN, "predict", "-", "--tables", folder], lines(1000), times=1)
                show("predict, 1000 lines, the same", seconds)
        (pathlib.Path(folder) / "own.json").unlink()
        for rows in (100, 1000):
            large_table(pathlib.Path(folder) / "large.json", rows, 100)
            show(f"check, {rows * 100:,} cells", best([MAIN, "check", folder], times=2))
    print(
        f"\nlargest process: {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024:.0f} MB"
    )


def main() -> None:
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # as installed: compiled once
    os.environ.setdefault(
        "PYTHONPYCACHEPREFIX", os.path.join(tempfile.gettempdir(), "bench-pycache")
    )
    parser = argparse.ArgumentParser(description="Speed and memory, as ratios to a bare python3.")
    parser.add_argument("--against", metavar="COMMIT", help="ratios of this tree and a commit")
    parser.add_argument("--times", type=int, default=5, help="runs of each, the best counts")
    parser.add_argument("--profile", action="store_true", help="where the time goes")
    parser.add_argument(
        "--growth", type=int, metavar="N", help="the fit on synthetic sets up to N times as large"
    )
    args = parser.parse_args()
    if args.against:
        against(args.against, args.times)
    if args.profile:
        profile()
    if args.growth:
        growth(args.growth)
    if not (args.against or args.profile or args.growth):
        everything()


if __name__ == "__main__":
    main()
