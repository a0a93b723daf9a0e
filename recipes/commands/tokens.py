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


def tokens_request(args, library: Library) -> answers.Request:
    """What is asked. Raises Usage."""
    own = {field: getattr(args, field) for field in ("encoder", "resolution", "connector")}
    names = list(tokens.MODELS) if args.all else args.model
    bounds = args.min_pixels, args.max_pixels
    if names and any(own.values()):
        raise Usage("tokens: either --model or a recipe (--encoder, --resolution, --connector)")
    if not names and (*bounds, args.frames) != (None, None, None):
        raise Usage("tokens: --min-pixels, --max-pixels and --frames need --model")
    recipe = None if names else parse(own, library.words)[0].over(BASELINE)
    sizes = [image_size(text) for text in args.image] or [(1024, 768)]
    return answers.Request(names, recipe, sizes, bounds, args.frames)


def tokens_command(args, library: Library, understood: dict | None = None) -> int:
    """Visual tokens of images, term by term."""
    if args.explain:
        lines = explain.lines()
        value = {
            "lines": lines,
            "prefix_mask": explain.prefix_mask(4, 3),
            "mrope": explain.mrope(2, (1, 3, 2), 2),
        }
        whole = [[x] if x.startswith("  ") else wrap(x, style(), hang="  ") for x in lines]
        shown = "\n".join(part for lines in whole for part in lines)
    else:
        counted = answers.answer(library, tokens_request(args, library))
        found = [
            {"model": model, "images": [jsonable.tokens(image) for image in images]}
            for model, images in counted.items()
        ]
        one = len(found) == 1 and len(args.model) < 2
        value = found[0] if one else {"models": found}
        shown = (
            text.tokens_text(*next(iter(counted.items())), style())
            if one
            else text.side_by_side(counted, style())
        )
    if args.json:
        show({**(understood or {}), **value})
    else:
        out(shown)
    return 0
