"""`tokens`: visual tokens of images in released models, or in a recipe of one's own.

In: a Request and the library. Out: per model (or recipe) the Tokens of each image. Does not print.
"""

from collections.abc import Sequence
from typing import NamedTuple

from ..base.errors import Refused
from ..cost import flops, tokens
from ..cost.tokens import Tokens, per_view
from ..library import Library
from ..terms.recipe import Recipe, RecipeError
from ..terms.vocabulary import UnknownName, nearest


class Request(NamedTuple):
    """Which models, or else which recipe; sizes: (width, height) of images in pixels; bounds: the
    least and the most pixels of an image; frames: of a video in place of an image.
    """

    models: Sequence[str]
    recipe: Recipe | None
    sizes: Sequence[tuple[int, int]]
    bounds: tuple[int | None, int | None] = (None, None)
    frames: int | None = None


def answer(library: Library, request: Request) -> dict[str, list[Tokens]]:
    """Model -> its tokens of each image. Raises Refused."""
    if request.recipe:
        recipe = request.recipe
        name = f"{recipe.encoder} at {recipe.resolution} with {recipe.connector}"
        return {name: [tokens_of(recipe, library, *size) for size in request.sizes]}
    return dict(counted(name, request) for name in request.models)


def counted(name: str, request: Request) -> tuple[str, list[Tokens]]:
    """A released model, and the tokens of each size in it."""
    try:
        model = tokens.find(name)
    except KeyError:
        text = name.strip().lower()
        near = nearest(text, (*tokens.MODELS, *tokens.ALIASES))
        raise UnknownName("model", name, near) from None
    if request.frames is None:
        return model, [tokens.count(model, *size, *request.bounds) for size in request.sizes]
    if request.bounds != (None, None):
        raise Refused(
            "tokens: --frames takes the model's own bounds, not --min-pixels, --max-pixels"
        )
    return model, [tokens.video(model, request.frames, *size) for size in request.sizes]


def tokens_of(recipe: Recipe, library: Library, width: int, height: int) -> Tokens:
    """Tokens of one image in a recipe of one's own (every image is made square)."""
    if not isinstance(recipe.resolution, int):
        raise RecipeError("resolution", "a recipe's tokens need pixels (tilings: tokens --model)")
    record = library.words.records("encoder").get((recipe.encoder or "").split("+")[0], {})
    return Tokens(
        width,
        height,
        (per_view(int(flops.need(record, "patch_size")), recipe.resolution, recipe.connector),),
    )
