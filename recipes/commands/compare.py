"""The command `compare`: the same questions about images to several served models.

In: parsed arguments and the library. Out: progress on stderr, results in the file of --out, the
summary on stdout, and the exit code. The work is exchange/.
"""

import os
import sys
from collections.abc import Sequence

from ..library import Library
from ..terms import units
from .arguments import Parser, Usage, flag, positive, recipe_fields
from .console import out, style


def number(low: float, high: float):
    """An argparse type: a number between two bounds."""

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not low <= value <= high:
            raise Usage(f"{text[:20]!r} is not a number from {low:g} to {high:g}")
        return value

    return flag(read)


def whole(low: int, high: int):
    """An argparse type: a whole number between two bounds."""

    def read(text: str) -> int:
        if (
            not (text.isascii() and text.isdecimal())
            or len(text) > 9
            or not low <= int(text) <= high
        ):
            raise Usage(f"{text[:20]!r} is not a whole number from {low} to {high:,}")
        return int(text)

    return flag(read)


def sizes(text: str) -> list[int | None]:
    """224,336,original -> [224, 336, None]."""
    found: list[int | None] = []
    for part in (part.strip() for part in text.split(",")):
        if part != "original" and not (
            part.isascii() and part.isdecimal() and len(part) <= 4 and 16 <= int(part) <= 4096
        ):
            raise Usage(
                f"{part[:20]!r} is not a number of pixels from 16 to 4096, or the word original"
            )
        found.append(None if part == "original" else int(part))
    if len(set(found)) < len(found):
        raise Usage(f"{text[:60]!r} names a size twice")
    return found


def compare_arguments(parser: Parser) -> None:
    add = parser.add_argument
    add(
        "--endpoint",
        metavar="NAME=URL[,model=ID]",
        action="append",
        default=[],
        help="a server: its root or its /v1 (repeatable); model: default the only one it serves",
    )
    add(
        "--image",
        metavar="FILE",
        action="append",
        default=[],
        help="PNG, JPEG, WebP or GIF (repeatable; each is asked about by itself)",
    )
    add("--together", action="store_true", help="all --image files in one request")
    add(
        "--question",
        metavar="TEXT",
        action="append",
        default=[],
        help="what is asked about the images (repeatable)",
    )
    add(
        "--questions",
        metavar="FILE",
        help=(
            'JSONL of {"id", "question", "images": [files below its folder], "answer"}, or CSV with'
            " these columns (several images or answers of a cell: a.png|b.png)"
        ),
    )
    _requests(parser)
    _measuring(parser)


def _requests(parser: Parser) -> None:
    """How the questions are put."""
    add = parser.add_argument
    add(
        "--resize",
        metavar="N,N,…",
        type=flag(sizes),
        default=[None],
        help="PNGs with so many pixels on the longer side (or original), each asked about",
    )
    add(
        "--out",
        metavar="RESULTS.jsonl",
        help="append each answer to this file; what it holds already is not asked again",
    )
    add(
        "--concurrency",
        type=flag(positive),
        metavar="N",
        help="requests at once (default: 4; with --latency-out 1)",
    )
    add(
        "--timeout",
        type=number(0.1, 3600),
        default=60.0,
        metavar="S",
        help="seconds for one request, whole (default: 60)",
    )
    add(
        "--retries",
        type=whole(0, 10),
        default=3,
        metavar="N",
        help="how often 429, 5xx and lost connections are asked again (default: 3)",
    )
    add(
        "--max-tokens",
        type=whole(1, 100_000),
        default=256,
        metavar="N",
        help="tokens of an answer at most (default: 256)",
    )
    add("--temperature", type=number(0, 2), default=0.0, metavar="T", help="default: 0")
    add(
        "--key-env",
        metavar="NAME[=VARIABLE]",
        action="append",
        default=[],
        help="the environment variable with the key of an endpoint (default: OPENAI_API_KEY)",
    )
    add("--no-stream", action="store_true", help="answers in one piece: no TTFT, no tokens/s")


def _measuring(parser: Parser) -> None:
    """What measured latencies need to be compared with the published ones."""
    add = parser.add_argument
    add(
        "--latency-out",
        metavar="FILE.json",
        help=(
            "write measured latencies, for latency --measured FILE.json; needs the five flags below"
        ),
    )
    for name, what in (
        ("hardware", "GPU that serves it: L4"),
        ("engine", "vllm, sglang, llama.cpp, ollama, transformers …"),
        ("dtype", "bf16, fp16, int8 or int4"),
        ("recipe", "FIELD=VALUE,…: encoder, llm, resolution …"),
        ("gpus", "tensor parallel over so many (default: 1)"),
    ):
        add(
            f"--{name}",
            metavar=f"[NAME:]{name.upper()}",
            action="append",
            default=[],
            help=f"{what} (for one endpoint: NAME:{name.upper()})",
        )


def compare_command(args, library: Library, understood: dict | None = None) -> int:
    """Ask served models the same questions about images, side by side.

    Servers speak the OpenAI-compatible chat API (vLLM, SGLang, llama.cpp, Ollama, transformers
    serve). Nothing is sent anywhere but to the endpoints named; redirects are not followed; keys
    come from the environment.
    """
    from ..exchange.endpoint import EndpointError
    from ..exchange.questions import QuestionsError

    try:
        return _compare(args, library, understood)
    except (EndpointError, QuestionsError) as error:
        raise Usage(f"compare: {error}") from None


def _compare(args, library: Library, understood: dict | None) -> int:
    from ..exchange import chat, compare, results

    endpoints = _endpoints(args)
    keys = _keys(args, endpoints)
    served, concurrency = (
        _deployments(args, endpoints, library),
        args.concurrency or (1 if args.latency_out else 4),
    )
    items = _items(args)
    pictures = _pictures(items, args.resize)
    _check_outputs(args, pictures)
    ask = chat.Ask(args.timeout, args.max_tokens, args.temperature, not args.no_stream)
    counts = ((len(items), "question"), (len(args.resize), "size"), (len(endpoints), "endpoint"))
    say(", ".join(f"{count:,} {word}{'s' * (count != 1)}" for count, word in counts))
    endpoints = [_with_model(to, keys.get(to.name), args) for to in endpoints]
    jobs = compare.plan(endpoints, items, pictures, args.resize)

    def key(job):
        return results.key_of(compare.identity(job, ask))

    done: dict[tuple, dict] = {}
    file = results.Results(args.out) if args.out else None
    try:
        if file:
            if file.repaired:
                say(f"{args.out}: a torn last line ({file.repaired:,} bytes) is taken away")
            done = {k: r for k in map(key, jobs) if (r := file.done.get(k)) and r["error"] is None}
        todo = [job for job in jobs if key(job) not in done]
        if done:
            say(f"{len(done)} of {len(jobs)} answers stand in {args.out} already")
        records = compare.carry_out(todo, ask, keys, concurrency, args.retries, say)
        _take(records, len(todo), done, file)
    finally:
        if file:
            file.file.close()
    value = compare.summary(jobs, done, key)
    notes = [compare.outlier_note(e) for e in value["endpoints"] if e["slow_first"]]
    if args.latency_out:
        notes += _write_latencies(args, endpoints, served, jobs, done, key, library)
    if args.json:
        # not show(): it leaves C1 controls as they are
        out(results.dumps({**(understood or {}), **value, "notes": notes}, indent=2))
    else:
        from ..show import compare as compared

        out(compared.summary_text(value, notes, style()))
    return 1 if any(e["failed"] for e in value["endpoints"]) else 0


class Terminated(KeyboardInterrupt):
    """SIGTERM: ended from outside, as by Ctrl-C."""


def _take(records, total: int, done: dict[tuple, dict], file) -> None:
    """Every record as it comes, into `done` and the results file. Ctrl-C and SIGTERM say how to go
    on.
    """
    import signal

    from ..exchange import results

    def end(*_):
        raise Terminated

    before = signal.getsignal(signal.SIGTERM)
    try:
        signal.signal(signal.SIGTERM, end)
        for count, record in enumerate(records, 1):
            done[results.key_of(record)] = record
            if file:
                file.add(record)
            _progress(count, total, record)
    except KeyboardInterrupt as error:
        kept = f"; {file.path} holds the answers so far" if file else ""
        say(f"interrupted{kept}{', the same command goes on from there' if file else ''}")
        if isinstance(error, Terminated):
            sys.exit(128 + signal.SIGTERM)
        raise
    finally:
        signal.signal(signal.SIGTERM, before)
        records.close()


# --- progress
# ------------------------------------------------------------------------------------------


def say(text: str) -> None:
    """A line of progress on stderr."""
    from ..show.compare import safe

    if sys.stderr is not None:
        print(f"compare: {safe(text)}", file=sys.stderr, flush=True)


def _progress(count: int, total: int, record: dict) -> None:
    """Every failure, and at most some twenty lines of success."""
    if record["error"] is not None:
        say(f"{count}/{total} {record['endpoint']}, {record['id']}: failed: {record['error']}")
    elif count == total or count % max(1, total // 20) == 0:
        say(f"{count}/{total} {record['endpoint']}, {record['id']}: {record['total_ms']:,.0f} ms")


# --- what the flags mean
# ------------------------------------------------------------------------------------------


def _endpoints(args) -> list:
    from ..exchange.endpoint import endpoint

    if not args.endpoint:
        raise Usage("compare: no --endpoint (as in --endpoint local=http://localhost:8000)")
    found = [endpoint(text) for text in args.endpoint]
    names = [to.name for to in found]
    twice = next((name for i, name in enumerate(names) if name in names[:i]), None)
    if twice:
        raise Usage(f"compare: two endpoints are called {twice}")
    return found


def _name(name: str, flag_name: str, endpoints: Sequence) -> str:
    """The name of an endpoint. Raises Usage with the near ones."""
    from ..terms.names import meant

    names = [to.name for to in endpoints]
    if name not in names:
        raise Usage(
            f"compare: {flag_name}: no endpoint is called"
            f" {name[:40]!r}{meant(name, names, '?')} (endpoints:"
            f" {', '.join(names)})"
        )
    return name


def _keys(args, endpoints: Sequence) -> dict[str, str]:
    """Keys by endpoint, from the environment. No message shows any part of one."""
    keys = {}
    for text in args.key_env:
        name, _, variable = text.partition("=")
        name, variable = (
            _name(name.strip(), "--key-env", endpoints),
            variable.strip() or "OPENAI_API_KEY",
        )
        if (
            not (
                variable.replace("_", "a").isalnum()
                and variable.isascii()
                and not variable[0].isdigit()
            )
            or len(variable) > 60
        ):
            raise Usage(
                f"compare: --key-env {name}=…: give the name of an environment variable, not the"
                f" key (as in {name}=OPENAI_API_KEY)"
            )
        if name in keys:
            raise Usage(f"compare: --key-env names {name} twice")
        key = os.environ.get(variable, "").strip()
        if not key:  # the text could be a key typed by mistake: it is not repeated
            raise Usage(
                f"compare: --key-env {name}=…: the environment has no such variable, or an"
                " empty one"
            )
        if not key.isascii() or not key.isprintable() or " " in key:
            raise Usage(f"compare: the key of {name} holds a character that no key has")
        keys[name] = key
    for to in endpoints:
        if to.name in keys and to.scheme == "http" and not to.local:
            say(f"{to.name}: the key travels unencrypted to {to.url}")
    return keys


def _items(args) -> list:
    from ..exchange import questions

    if bool(args.question) == bool(args.questions):
        raise Usage("compare: what is asked? One of --question TEXT and --questions FILE")
    twice = next((file for i, file in enumerate(args.image) if file in args.image[:i]), None)
    if twice:
        raise Usage(f"compare: --image {twice} is given twice")
    if args.together and not args.image:
        raise Usage("compare: --together needs --image")
    if args.question:
        if not args.image:
            raise Usage("compare: --question needs an --image")
        if not all(text.strip() for text in args.question):
            raise Usage("compare: an empty --question")
        found = [
            questions.Item(f"q{i}" if len(args.question) > 1 else "question", text, (), ())
            for i, text in enumerate(args.question, 1)
        ]
    else:
        found = questions.read_questions(args.questions)
        own = next((item.id for item in found if item.images), None)
        without = next((item.id for item in found if not item.images), None)
        if args.image and own:
            raise Usage(
                f"compare: the question {own} of {args.questions} has images of its own: leave out"
                " --image"
            )
        if not args.image and without:
            raise Usage(
                f"compare: the question {without} of {args.questions} has no images (or --image"
                " gives them)"
            )
    return questions.from_flags(found, args.image, args.together) if args.image else found


def _pictures(items: Sequence, wanted: Sequence[int | None]) -> dict:
    """Every image file by its path. Raises Usage or QuestionsError before anything is sent."""
    from ..exchange import images, questions

    found = {}
    for item in items:
        for path, label in zip(item.images, item.labels):
            if path not in found:
                found[path] = questions.picture(path, label)
                if found[path].kind != "png" and any(wanted):
                    raise Usage(
                        f"compare: --resize: {label} is a {found[path].kind.upper()}, which"
                        " Python's library cannot decode: convert it to PNG first, or leave out"
                        " --resize"
                    )
                if any(wanted) and found[path].width * found[path].height > images.MAX_PIXELS:
                    raise Usage(
                        f"compare: --resize: {label} has {found[path].width} x {found[path].height}"
                        f" pixels; at most {images.MAX_PIXELS:,} are resized"
                    )
    return found


def _check_outputs(args, pictures: dict) -> None:
    """A file that is read is not written over."""
    read = {
        os.path.realpath(path)
        for path in (*pictures, *([args.questions] if args.questions else []))
    }
    written = [
        (name, os.path.realpath(path))
        for name, path in (("--out", args.out), ("--latency-out", args.latency_out))
        if path
    ]
    for name, path in written:
        if path in read or [p for _, p in written].count(path) > 1:
            raise Usage(f"compare: {name} is a file that this command reads or writes otherwise")
        if not os.path.isdir(os.path.dirname(path)):
            raise Usage(f"compare: {name}: the folder {os.path.dirname(path)} does not exist")


def _with_model(to, key: str | None, args):
    """The endpoint with a model: the one named, or the only one that the server has."""
    from ..exchange import chat
    from ..exchange.wire import ChatError

    if to.model is None:
        from time import sleep

        try:
            found, _ = chat.persistent(
                lambda: chat.models(to, key, min(args.timeout, 30.0)),
                min(args.retries, 1),
                to.name,
                sleep,
                lambda text: say(f"{to.name}: {text}"),
            )
        except ChatError as error:
            raise Usage(
                f"compare: --endpoint {to.name}: which model? GET {to.url}/models failed: {error}"
                " (model=ID names one)"
            ) from None
        if len(found) != 1:
            listed = ", ".join(found[:20]) + (
                f", and {len(found) - 20} more" if len(found) > 20 else ""
            )
            raise Usage(
                f"compare: --endpoint {to.name}: serves {len(found)} models; name one, as in"
                f" {to.name}={to.url},model=ID ({listed or 'none'})"
            )
        to = to._replace(model=found[0])
    say(f"{to.name}: POST {to.url}/chat/completions, model {to.model}")
    return to


# --- latencies
# ------------------------------------------------------------------------------------------

DEPLOYED = ("hardware", "engine", "dtype", "recipe", "gpus")


def _stated(args, flag_name: str, endpoints: Sequence) -> dict[str, str]:
    """--hardware L4 (of all) and --hardware NAME:L4 (of one), by endpoint."""
    names = [to.name for to in endpoints]
    everyone, single = None, {}
    for text in getattr(args, flag_name):
        name, sign, rest = text.partition(":")
        if sign and name in names:
            value, before = rest.strip(), single.get(name)
            single[name] = value
        else:
            before, value = everyone, text.strip()
            everyone = value
        if not value or before is not None:
            raise Usage(
                f"compare: --{flag_name} {text[:60]!r} {'is given twice' if value else 'is empty'}"
            )
    return {
        name: single.get(name, everyone) for name in names if single.get(name, everyone) is not None
    }


def _deployments(args, endpoints: Sequence, library: Library) -> dict:
    """What --latency-out needs to know of each endpoint."""
    if not args.latency_out:
        given = next((name for name in DEPLOYED if getattr(args, name)), None)
        if given:
            raise Usage(f"compare: --{given} is for --latency-out FILE.json")
        return {}
    from ..answers import measured
    from ..cost import memory
    from ..terms.recipe import parse
    from .arguments import whole_number

    if args.no_stream:
        raise Usage("compare: --latency-out needs streaming: leave out --no-stream")
    if (args.concurrency or 1) != 1:
        raise Usage("compare: --latency-out measures one request at a time: --concurrency 1")
    if len(args.resize) > 1:
        raise Usage(
            "compare: --latency-out writes one row an endpoint: give one size to --resize and run"
            " once per size"
        )
    stated = {name: _stated(args, name, endpoints) for name in DEPLOYED}
    found = {}
    for to in endpoints:
        missing = [f"--{name}" for name in DEPLOYED[:-1] if to.name not in stated[name]]
        if missing:
            raise Usage(
                f"compare: --latency-out: no client can see how {to.name} is served:"
                f" {', '.join(missing)} (for one endpoint: --hardware {to.name}:L4)"
            )
        values = {name: stated[name].get(to.name) for name in DEPLOYED}
        for name, known in (("engine", measured.ENGINES), ("dtype", memory.WEIGHT_BYTES)):
            if values[name] not in known:
                raise Usage(
                    f"compare: --{name}: {values[name][:40]!r} is none of {', '.join(known)}"
                )
        recipe = parse(recipe_fields(values["recipe"], "compare: --recipe"), library.words)[0]
        gpus = whole_number(values["gpus"] or "1")
        found[to.name] = measured.deployment(
            library,
            recipe,
            units.hardware(values["hardware"], library.words),
            gpus,
            values["engine"],
            values["dtype"],
        )
    return found


def _write_latencies(args, endpoints, served, jobs, done, key, library: Library) -> list[str]:
    """Write the rows; what was written and how the estimates compare."""
    from ..answers import measured
    from ..exchange import compare

    rows, notes = [], []
    for to in endpoints:
        deployment = served[to.name]
        device = library.words.records("hardware")[deployment.gpu]["name"]
        row = measured.row(
            to.name,
            compare.without_slow_first([done[key(job)] for job in jobs if job.endpoint == to]),
            deployment,
            device,
            f"compare --endpoint {to.name}={to.url},model={to.model}",
        )
        if row:
            rows.append(row)
        else:
            notes.append(
                f"{to.name}: no answer can be a latency row (streamed, about one image, one request"
                " at a time)"
            )
    if rows:
        count, replaced = measured.write(args.latency_out, rows)
        notes += [
            f"wrote {count} row{'s' * (count != 1)} to {args.latency_out}"
            + (f" ({replaced} replaced)" if replaced else "")
            + f": latency --measured {args.latency_out} uses them",
            *measured.verdict(measured.compared(library, rows, args.latency_out)),
        ]
    return notes
