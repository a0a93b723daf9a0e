"""`tokens`: visual tokens of an image in a recipe of one's own.

In: a Recipe and the library. Out: Tokens. Does not print.
"""

from ..cost import flops
from ..cost.tokens import Tokens, per_view
from ..library import Library
from ..terms.recipe import Recipe, RecipeError


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
