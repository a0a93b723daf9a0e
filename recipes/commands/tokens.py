"""`tokens`: its flags.

In: parsed arguments and the library. Out: printed text or JSON, and the exit code.
"""

from ..answers import tokens as answers
from ..cost import explain, tokens
from ..library import Library
from ..show import jsonable
from ..show import tokens as text
from ..show.text import wrap
from ..terms.recipe import BASELINE, parse
from ..terms.vocabulary import UnknownName, fold, nearest
from .arguments import Parser, Usage, flag, image_size, whole_number
from .console import out, show, style


def tokens_arguments(parser: Parser) -> None:
    parser.add_argument(
        "--model",
        metavar="NAME",
        action="append",
        default=[],
        help=f"a released model (repeatable: side by side): {', '.join(tokens.MODELS)}",
    )
    parser.add_argument("--all", action="store_true", help="all released models, side by side")
    parser.add_argument(
        "--image",
        metavar="WxH",
        action="append",
        default=[],
        help="image size in pixels, or a page: a4@150dpi (repeatable)",
    )
    for name in ("min", "max"):
        parser.add_argument(
            f"--{name}-pixels",
            type=flag(whole_number),
            metavar="N",
            help=f"{name} pixels of an image, where the model keeps its shape (Qwen-VL, GLM-V)",
        )
    parser.add_argument(
        "--frames",
        type=flag(whole_number),
        metavar="N",
        help="a video of so many sampled frames of that size",
    )
    parser.add_argument(
        "--explain",
        action="store_true",
        help="small worked examples: patches, connectors, prefix-LM mask, M-RoPE",
    )
    for field in ("encoder", "resolution", "connector"):
        parser.add_argument(
            f"--{field}", metavar=field.upper(), help=f"{field} of a recipe of your own"
        )


def tokens_command(args, library: Library, understood: dict | None = None) -> int:
    """Visual tokens of images, term by term."""
    if args.explain:
        lines = explain.lines()
        if args.json:
            show(
                {
                    **(understood or {}),
                    "lines": lines,
                    "prefix_mask": explain.prefix_mask(4, 3),
                    "mrope": explain.mrope(2, (1, 3, 2), 2),
                }
            )
        else:
            out(
                "\n".join(
                    part
                    for line in lines
                    for part in (
                        wrap(line, style(), hang="  ") if not line.startswith("  ") else [line]
                    )
                )
            )
        return 0
    sizes = [image_size(text) for text in args.image] or [(1024, 768)]
    if (args.model or args.all) and (args.encoder or args.resolution or args.connector):
        raise Usage("tokens: either --model or a recipe (--encoder, --resolution, --connector)")
    names = list(tokens.MODELS) if args.all else args.model
    if len(names) > 1:
        return _side_by_side(dict(_counted(args, name, sizes) for name in names), args, understood)
    if names:
        model, values = _counted(args, names[0], sizes)
    else:
        if (args.min_pixels, args.max_pixels, args.frames) != (None, None, None):
            raise Usage("tokens: --min-pixels, --max-pixels and --frames need --model")
        recipe = parse(
            {k: getattr(args, k) for k in ("encoder", "resolution", "connector")}, library.words
        )[0].over(BASELINE)
        model = f"{recipe.encoder} at {recipe.resolution} with {recipe.connector}"
        values = [answers.tokens_of(recipe, library, *size) for size in sizes]
    if args.json:
        show(
            {
                **(understood or {}),
                "model": model,
                "images": [jsonable.tokens(value) for value in values],
            }
        )
    else:
        out(text.tokens_text(model, values, style()))
    return 0


def _side_by_side(counted: dict[str, list], args, understood: dict | None) -> int:
    """Several models' tokens of the same images."""
    if args.json:
        found = [
            {"model": model, "images": [jsonable.tokens(value) for value in values]}
            for model, values in counted.items()
        ]
        show({**(understood or {}), "models": found})
    else:
        out(text.side_by_side(counted, style()))
    return 0


def _counted(args, name: str, sizes: list[tuple[int, int]]) -> tuple[str, list]:
    """A released model, and the tokens of each size in it. Raises UnknownName and Usage."""
    try:
        model = tokens.find(name)
    except KeyError:
        text = name.strip().lower()
        near = nearest(text, {fold(name): name for name in (*tokens.MODELS, *tokens.ALIASES)})
        raise UnknownName("model", name, near) from None
    bounds = args.min_pixels, args.max_pixels
    if args.frames is None:
        return model, [tokens.count(model, *size, *bounds) for size in sizes]
    if bounds != (None, None):
        raise Usage("tokens: --frames takes the model's own bounds, not --min-pixels, --max-pixels")
    return model, [tokens.video(model, args.frames, *size) for size in sizes]
