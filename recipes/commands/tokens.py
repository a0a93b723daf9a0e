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
from .arguments import Parser, Usage, image_size
from .console import out, show, style


def tokens_arguments(parser: Parser) -> None:
    parser.add_argument(
        "--model", metavar="NAME", help=f"a released model: {', '.join(tokens.MODELS)}"
    )
    parser.add_argument(
        "--image",
        metavar="WxH",
        action="append",
        default=[],
        help="image size in pixels (repeatable)",
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
    if args.model and (args.encoder or args.resolution or args.connector):
        raise Usage("tokens: either --model or a recipe (--encoder, --resolution, --connector)")
    if args.model:
        model = args.model.strip().lower()
        if tokens.ALIASES.get(model, model) not in tokens.MODELS:
            near = nearest(model, {fold(name): name for name in (*tokens.MODELS, *tokens.ALIASES)})
            raise UnknownName("model", args.model, near)
        values = [tokens.count(model, *size) for size in sizes]
    else:
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
