"""What people type after a command: flags with units, names and sizes -> canonical values.

In: argparse parsers to fill, texts of flags, the library's vocabulary. Out: recipe fields, lists of
benchmarks, limits; or an error that names the flag and what it accepts. Does not compute answers,
print or exit.
"""

import argparse
import math
import re
from collections.abc import Callable, Sequence

from ..cost import tokens
from ..library import Library, installed
from ..picker.limits import DEFAULT_BUDGET, DEFAULT_DEVICE, Constraints
from ..picker.space import same_size
from ..terms import units
from ..terms.axes import COMPONENTS
from ..terms.recipe import FIELDS, Recipe, parse
from ..terms.tasks import TaskMix, parse_mix
from ..terms.vocabulary import UnknownName, Vocabulary, nearest
from .parser import Parser, Usage

FIXABLE = ("encoder", "connector", "llm", "llm_params_b", "data", "resolution", "visual_tokens")


def in_checkout(command: str, instead: str) -> None:
    """Refuse to write what ships with the program where it is installed. Raises Usage."""
    if installed():
        raise Usage(f"{command}: an installed copy leaves its own files as they are: {instead}")


def recipe_flags(parser: Parser, prefix: str = "", what: str = "on both sides") -> None:
    """--encoder, --resolution … (with a prefix: --to-resolution)."""
    for field in FIELDS if not prefix else ("resolution", "visual_tokens", "tiling", "data_size"):
        parser.add_argument(
            f"--{prefix}{field.replace('_', '-')}",
            dest=f"{prefix}{field}".replace("-", "_"),
            metavar=field.upper(),
            help=f"{field.replace('_', ' ')} {what}",
        )


def level_flag(parser: Parser) -> None:
    """--level of the intervals."""
    parser.add_argument(
        "--level",
        type=flag(units.level),
        default=0.8,
        metavar="P",
        help="level of the intervals (0.8 or 80%%)",
    )


def flag(reader: Callable) -> Callable:
    """An argparse type whose own message reaches the user."""

    def read(text: str):
        try:
            return reader(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return read


def number(least: float, most: float, what: str, ends: bool = True):
    """An argparse type for a number between two bounds."""

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not (least <= value <= most if ends else least < value < most):
            raise Usage(f"{text[:20]!r} is not {what}")
        return value

    return flag(read)


def positive(text: str) -> int:
    """A whole number between 1 and 100."""
    if not (text.isascii() and text.isdecimal()) or len(text) > 3 or not 1 <= int(text) <= 100:
        raise Usage(f"{text[:20]!r} is not a whole number between 1 and 100")
    return int(text)


def whole_number(text: str) -> int:
    """A whole number between 1 and 1,000,000."""
    if (
        not (text.isascii() and text.isdecimal())
        or len(text) > 7
        or not 1 <= int(text) <= 1_000_000
    ):
        raise Usage(f"{text[:20]!r} is not a whole number between 1 and 1,000,000")
    return int(text)


def stated_flags(args: argparse.Namespace, words: Vocabulary, prefix: str = "") -> dict:
    """Recipe fields given as flags, canonical."""
    raw = {field: getattr(args, f"{prefix}{field}", None) for field in FIELDS}
    recipe, _ = parse({k: v for k, v in raw.items() if v is not None}, words)
    return recipe.stated()


def recipes_side_by_side(args: argparse.Namespace, words: Vocabulary) -> list[Recipe]:
    """The whole recipes that flags name: one for each of several LLMs (--llm a,b), or of several
    other components.
    """
    from ..answers.parts import whole

    lists = [f for f in ("llm_params_b", *COMPONENTS) if "," in (getattr(args, f) or "")]
    if len(lists) > 1:
        both = " and ".join("--" + name.replace("_", "-") for name in reversed(lists))
        raise Usage(f"{both}: several of one of them, not of both")
    field = lists[0] if lists else "llm"
    found = []
    for name in getattr(args, field).split(",") if lists else [args.llm]:
        one = argparse.Namespace(**{**vars(args), field: name})
        found.append(whole(stated_flags(one, words), words))
    return found


def side_of(field: str, text: str, words: Vocabulary) -> dict:
    """Recipe fields that one name of a swap stands for."""
    if field == "frozen_encoder":
        return {"frozen_encoder": text == "frozen"}
    if field == "visual_tokens":
        text = text.split()[0]
    return parse({field: text}, words)[0].stated()


def size_or_llm(text: str, words: Vocabulary) -> dict:
    """--on 7B or --on llama-3-8b. The baseline's own 7B is kept for 7B."""
    try:
        return {"llm": words.resolve("llm", text).slug}
    except UnknownName:
        value = parse({"llm_params_b": text}, words)[0].llm_params_b
        return {} if abs(value - 7) < 0.3 else {"llm_params_b": value}


def benchmark_list(values: Sequence[str], words: Vocabulary) -> list[str]:
    """--benchmark flags, canonical; a benchmark that is no image benchmark is an error."""
    found = []
    for value in values:
        for part in value.split(","):
            slug = words.benchmark(part)
            if not words.records("benchmark")[slug]["family"]:
                raise Usage(f"{slug} does not test images: no recipe axis is modelled for it")
            found.append(slug)
    return list(dict.fromkeys(found))


def judged_on(args, words: Vocabulary) -> tuple[Sequence[str], TaskMix | None]:
    """What a change is judged on: the benchmarks of --benchmark, or the mix of --tasks."""
    if args.benchmark and args.tasks is not None:
        raise Usage("--benchmark and --tasks: one of them (a mix has weights: --tasks mmmu,docvqa)")
    mix = parse_mix(args.tasks, words) if args.tasks is not None else None
    return benchmark_list(args.benchmark, words) or (), mix


def recipe_fields(text: str, command: str) -> dict[str, str]:
    """encoder=siglip,llm=qwen2-7b as fields. A comma that no field name follows belongs to the
    value before it.
    """
    fields: dict[str, str] = {}
    for part in re.split(r",(?=\s*[A-Za-z_-]+\s*=)", text) if text.strip() else []:
        match = re.fullmatch(r"\s*([A-Za-z_-]+)\s*=\s*(.*\S)\s*", part, re.DOTALL)
        if not match:
            raise Usage(
                f"{command}: {part[:60]!r} is not FIELD=VALUE (as in encoder=siglip,llm=qwen2-7b)"
            )
        name = match[1].replace("-", "_")
        if name in fields:
            raise Usage(f"{command}: {name[:40]} is given twice")
        fields[name] = match[2]
    return fields


def own_fields(text: str | None, command: str, words: Vocabulary) -> dict:
    """--recipe FIELD=VALUE,…: canonical fields."""
    return parse(recipe_fields(text or "", f"{command}: --recipe"), words)[0].stated()


def proxy_flag(parser: Parser) -> None:
    """--proxy, of the commands that plan runs."""
    parser.add_argument(
        "--proxy",
        metavar="FIELD=VALUE,…",
        action="append",
        default=[],
        help=(
            "a smaller run to ask instead (llm=0.5B, data_size=20%%, resolution=224): how much of"
            " its verdict holds for the full one, what it costs, when it is a false economy"
            " (repeatable; llm, resolution or data_size alone: the usual sizes, side by side)"
        ),
    )


def proxies_of(values: Sequence[str], words: Vocabulary) -> list:
    """--proxy FIELD=VALUE,…: what is smaller, each."""
    from ..answers.proxy import LADDERS, ladder_of, small_of

    out = []
    for text in (value.strip() for value in values):
        field = text.replace("-", "_")
        if field in LADDERS:
            out += ladder_of(field, words)
        else:
            out.append(small_of(recipe_fields(text, "--proxy"), text, words))
    return out


def pairs(values: Sequence[str], flag_name: str, words: Vocabulary) -> list[tuple[str, object]]:
    """--fix and --avoid: AXIS=VALUE, canonical."""
    found = []
    for value in values:
        field, sign, text = value.partition("=")
        field = field.strip().replace("-", "_")
        if not sign or not text.strip():
            raise Usage(f"{flag_name} {value[:60]!r}: as in {flag_name} encoder=siglip")
        if field not in FIXABLE:
            what = "the candidates do not vary" if field in FIELDS else "unknown axis"
            raise Usage(f"{flag_name}: {what} {field[:40]!r} (known: {', '.join(FIXABLE)})")
        named = flag_name == "--avoid" and field in COMPONENTS
        stem = re.sub(r"[\s_]+", "-", text.strip().lower())
        try:
            # clip@336 states two fields, llm=7B a size
            stated = parse({field: text.strip()}, words)[0].stated()
        except UnknownName:  # no component, and yet the beginning of some: gemma, qwen
            some = (
                [
                    (field, slug)
                    for slug in words.records(field)
                    if re.match(rf"{re.escape(stem)}(?:-|\d)", slug)
                ]
                if named
                else []
            )
            if not some:
                raise
            found += some
            continue
        if flag_name == "--avoid" and field not in stated:
            raise Usage(
                f"--avoid {value[:60]!r}: names one component, as in --avoid llm=vicuna-1.5-7b"
            )
        kept = [
            (name, stated[name])
            for name in stated
            if name != "data_size" and (flag_name == "--fix" or name == field)
        ]
        if named:  # a name without its size stands for all sizes
            kept += [
                (field, slug)
                for slug in words.records(field)
                if slug.startswith(stem + "-") and (field, slug) not in kept
            ]
        for name, what in kept:
            if flag_name == "--fix" and dict(found).get(name, what) != what:
                raise Usage(f"--fix {name} is given twice: {dict(found)[name]} and {what}")
        found += kept
    if flag_name == "--fix":
        _one_size(dict(found), words)
    return found


def scores_given(values: Sequence[str], words: Vocabulary) -> dict[str, float]:
    """--score BENCHMARK=VALUE flags (also with commas): benchmark -> what the first recipe scores,
    in its points.
    """
    if not values:
        return {}
    from ..effects.level import check_score  # only scores ask for it

    found: dict[str, float] = {}
    for part in (part for value in values for part in value.split(",")):
        name, _, text = part.partition("=")
        try:
            value = float(text.strip().rstrip("%"))
        except ValueError:
            raise Usage(f"--score {part[:40]!r}: as in --score mmmu=36.5") from None
        benchmark = words.benchmark(name.strip())
        if found.setdefault(benchmark, check_score(benchmark, value, words)) != value:
            raise Usage(f"--score {benchmark} is given twice: {found[benchmark]:g} and {value:g}")
    return found


def _one_size(fixed: dict[str, object], words: Vocabulary) -> None:
    """Raises Usage when an LLM is fixed beside a size that it does not have."""
    slug, wanted = fixed.get("llm"), fixed.get("llm_params_b")
    # a name of the user's tables has no record
    size = words.records("llm").get(slug, {}).get("params_b")
    if wanted and size and not same_size(size, wanted):
        raise Usage(
            f"--fix llm={slug} ({size:g}B) contradicts --fix llm_params_b={wanted:g}B (as --fix"
            f" llm={wanted:g}B says too): leave one out"
        )


def constraint_flags(parser) -> None:
    """What a recipe must meet (`limit_flags`), and what is fixed or left out (`choices_of`)."""
    limit_flags(parser)
    parser.add_argument(
        "--fix",
        metavar="AXIS=VALUE",
        action="append",
        default=[],
        help="keep a field fixed: llm=qwen2.5-7b, llm_params_b=2B (repeatable)",
    )
    parser.add_argument(
        "--avoid",
        metavar="AXIS=VALUE",
        action="append",
        default=[],
        help="leave out a component: encoder=clip-vit-l-14 (repeatable)",
    )
    parser.add_argument(
        "--any-parts",
        action="store_true",
        help="also parts that no released model has and that no rows on the tasks speak for",
    )
    parser.add_argument(
        "--trainable-with",
        metavar="TARGET",
        help="only what this training program can be told (export --to list names them)",
    )


def limit_flags(parser) -> None:
    """What a recipe may cost: the flags that `constraints` reads."""
    parser.add_argument(
        "--budget",
        metavar="B",
        help=(
            "training budget: 500 A100-hours (assumed when none is given), 8xH100 for a day, 2e21"
            " FLOP, 50M images, $2,000 at $1.50 per H100-hour, any"
        ),
    )
    parser.add_argument(
        "--latency",
        metavar="L",
        help="time to first token: 300ms on L4 (300 ms total on L4 for a whole answer)",
    )
    parser.add_argument("--speed", metavar="S", help="decoding: 20 tokens/s on Orin")
    parser.add_argument(
        "--memory",
        metavar="M",
        help="memory of the deployment: 24GB, 'fits 24GB in int4', any (default: the device's)",
    )
    parser.add_argument(
        "--deploy",
        metavar="DEVICE",
        help=(
            "what it runs on, whose memory is a limit: Orin, L4, 4090 …; edge = Jetson AGX Orin,"
            " cloud = L4"
        ),
    )
    parser.add_argument(
        "--dtype",
        choices=("bf16", "int8", "int4"),
        help="number format of the deployed LLM weights (default: bf16)",
    )
    parser.add_argument(
        "--images",
        type=flag(positive),
        default=1,
        metavar="N",
        help="pictures in one request (several images, video frames)",
    )
    parser.add_argument(
        "--licence",
        "--license",
        choices=("any", "commercial"),
        default="any",
        help="commercial: the LLM's licence must permit commercial use",
    )


FREE = ("any", "none", "no limit", "unlimited")


def constraints(args: argparse.Namespace, words: Vocabulary) -> Constraints:
    """What a recipe must meet, from `constraint_flags`; what they leave open is assumed, and said
    to be.
    """
    device, latency, speed = _device(args, words)
    free = {name for name in ("budget", "memory") if _lifted(getattr(args, name))}
    memory, stored = None, None
    if args.memory is not None and "memory" not in free:
        memory, stored = units.memory(args.memory)
    if stored and args.dtype and args.dtype != stored:
        raise Usage(f"--memory says {stored} and --dtype {args.dtype}")
    budget = DEFAULT_BUDGET if args.budget is None else None
    if args.budget is not None and "budget" not in free:
        budget = units.budget(args.budget, words)
    # what it runs on, it must fit into
    room = words.records("hardware")[device].get("memory_gb")
    named = latency or speed or args.deploy
    assumed = (
        ("budget", args.budget is None),
        ("device", not named),
        ("memory", args.memory is None and not named),
    )
    return Constraints(
        budget,
        latency,
        None if "memory" in free else room if memory is None else memory,
        args.dtype or stored or "bf16",
        deploy_gpu=device,
        tokens_per_s=speed.tokens_per_s if speed else None,
        images=args.images,
        commercial=args.licence == "commercial",
        assumed=tuple(name for name, yes in assumed if yes),
    )


def _lifted(text: str | None) -> bool:
    return text is not None and text.strip().lower() in FREE


DEPLOYED = {"edge": "jetson-agx-orin-64gb", "cloud": DEFAULT_DEVICE}


def _device(args: argparse.Namespace, words: Vocabulary) -> tuple:
    """(device, latency, speed) as asked for."""
    device = DEFAULT_DEVICE
    if args.deploy is not None:
        device = DEPLOYED.get(args.deploy.strip().lower()) or units.hardware(args.deploy, words)
    speed = units.speed(args.speed, words) if args.speed is not None else None
    if speed and speed.gpu:
        device = speed.gpu
    if args.latency is None:
        return device, None, speed
    latency = units.latency(args.latency, words)
    if not re.search(r"\son\s", args.latency, re.I):
        latency = latency._replace(gpu=device)
    elif speed and speed.gpu and latency.gpu != speed.gpu:
        raise Usage(
            f"--latency is about {latency.gpu} and --speed about {speed.gpu}: one device at a time"
        )
    return latency.gpu, latency, speed


def image_size(text: str) -> tuple[int, int]:
    """--image 1024x768, or a page: a4@150dpi."""
    page = re.fullmatch(r"(\w+)@(\d{1,4})(?:dpi)?", text.strip().lower(), re.ASCII)
    if page:
        return tokens.page(page[1], int(page[2]))
    width, sign, height = text.lower().replace("×", "x").partition("x")
    if not sign or not all(
        part.isascii() and part.isdecimal() and len(part) <= 9 for part in (width, height)
    ):
        raise Usage(
            f"tokens: --image {text[:40]!r} is not WIDTHxHEIGHT (as in 1024x768, or a4@150dpi)"
        )
    tokens.check_size(int(width), int(height))
    return int(width), int(height)


def known_paper(key: str, library: Library) -> str:
    """--paper KEY. Raises UnknownName."""
    known = [paper.key for paper in library.papers()]
    if key not in known:
        raise UnknownName("paper", key, nearest(key, [*known]))
    return key


def request_flags(parser: Parser) -> None:
    """What `pick` and `report` ask for."""
    parser.add_argument(
        "--tasks",
        metavar="MIX",
        default="balanced",
        help="what it is for: documents, charts=0.5,mmmu=0.5 … (default: balanced)",
    )
    constraint_flags(parser)
    parser.add_argument(
        "--top", type=flag(positive), default=5, metavar="N", help="how many recipes to list"
    )
    level_flag(parser)


def choices_of(args, words: Vocabulary) -> tuple[dict[str, object], dict[str, list[str]]]:
    """--fix (field -> value) and --avoid (field -> values)."""
    avoid: dict[str, list[str]] = {}
    for field, value in pairs(args.avoid, "--avoid", words):
        avoid.setdefault(field, []).append(str(value))
    return dict(pairs(args.fix, "--fix", words)), avoid


def screen_flags(parser: Parser, why: str) -> None:
    """What to print beyond the first screen."""
    parser.add_argument("--why", action="store_true", help=f"everything: {why}")
    parser.add_argument("--rows", action="store_true", help="the printed rows behind the answer")


def request_argv(args: argparse.Namespace) -> list[str]:
    """The flags of `request_flags` as one would type them; those at their defaults left out."""
    argv = []
    for name, default in (
        ("tasks", "balanced"),
        ("budget", None),
        ("latency", None),
        ("speed", None),
        ("memory", None),
        ("deploy", None),
        ("dtype", None),
        ("images", 1),
        ("licence", "any"),
    ):
        value = getattr(args, name)
        argv += [f"--{name}", str(value)] if value not in (default, None) else []
    argv += ["--any-parts"] if args.any_parts else []
    argv += ["--trainable-with", args.trainable_with] if args.trainable_with else []
    for name in ("fix", "avoid", "tables"):
        argv += [part for value in getattr(args, name) for part in (f"--{name}", value)]
    return argv
