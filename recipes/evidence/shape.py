"""What a table's settings may hold: which fields are numbers in which bounds, which are texts.

In: a setting from a file. Out: EvidenceError at the pointer that is wrong, else nothing.
"""

from collections.abc import Mapping

from ..base.reading import EvidenceError

TEXTS = frozenset(("encoder", "connector", "llm", "data", "tiling", "training", "architecture"))


# (smallest, largest) that a recipe can have; what lies outside is a slip of the pen
NUMBERS = {
    "llm_params_b": (1e-3, 1e5),
    "visual_tokens": (1, 1e6),
    "data_size": (0, 1e13),
    "tokens_per_tile": (1, 1e6),
    "sub_image_resolution": (16, 16384),
    "n_sub_images": (1, 1000),
}


def _check_setting(setting: Mapping, file: str, *pointer: str | int) -> None:
    """Refuse recipe fields of the wrong kind: they would make features that mean nothing. pointer:
    the parts of where the setting stands.
    """
    for key, value in setting.items():
        if value is None:
            continue
        wrong = None
        if key in TEXTS:
            wrong = None if isinstance(value, str) else f"{key} is missing or not a text"
        elif key in NUMBERS or key == "resolution" and not isinstance(value, str):
            low, high = NUMBERS.get(key, (16, 16384))
            if (
                isinstance(value, bool)
                or not isinstance(value, (int, float))
                or not low <= value <= high
            ):
                wrong = f"{key} {str(value)[:40]!r} is not a number between {low:g} and {high:g}"
        elif key == "frozen_encoder" and not isinstance(value, bool):
            wrong = f"frozen_encoder {str(value)[:40]!r} is neither true nor false"
        if wrong:
            raise EvidenceError(file, "/".join(("", *map(str, pointer), key)), wrong, "schema")
