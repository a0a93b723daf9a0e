"""Made-up tables and claims for the tests of the audit: two papers small enough to judge by
hand.
"""

import copy

from recipes.claims import verdicts as claims
from recipes.claims.assertions import parse_claims
from recipes.claims.pairs import Evidence
from recipes.evidence.tables import parse_paper

from . import support

CLIP, SIGLIP = "clip-vit-l-14", "siglip-so400m-14"


def made_up() -> dict:
    """A paper file with an encoder table (two benchmarks) and a table of LLM sizes."""
    setting = {
        "connector": "mlp-2x-gelu",
        "llm": "vicuna-1.5-7b",
        "llm_params_b": 7,
        "data": "llava-665k",
        "resolution": 336,
    }
    return {
        "format": 2,
        "paper": {
            "key": "paper",
            "short": "Paper",
            "title": "T",
            "authors": "A",
            "year": 2025,
            "arxiv": "2501.01234",
        },
        "transcription": {
            "open_questions": [
                "Only drawn: the mask (Fig. 5, 17), prefix-LM against causal masking (Fig. 6)."
            ]
        },
        "tables": [
            {
                "id": "paper.encoder",
                "locator": "Table 1",
                "topic": "encoder",
                "varies": ["encoder"],
                "setting": setting,
                "metrics": {
                    "mmmu": {"benchmark": "mmmu"},
                    "ocrbench": {"benchmark": "ocrbench"},
                    "docvqa": {"benchmark": "docvqa"},
                },
                "rows": [
                    {
                        "arm": "CLIP",
                        "set": {"encoder": CLIP},
                        "scores": {"mmmu": 30.0, "ocrbench": 400, "docvqa": 50.0},
                    },
                    {
                        "arm": "SigLIP",
                        "set": {"encoder": SIGLIP},
                        "scores": {"mmmu": 33.5, "ocrbench": 380, "docvqa": 52.0},
                    },
                    {
                        "arm": "DINOv2",
                        "set": {"encoder": "dinov2-vit-l-14", "resolution": 518},
                        "scores": {"mmmu": 29.0, "ocrbench": 100, "docvqa": None},
                    },
                ],
            },
            {
                "id": "paper.llm",
                "locator": "Table 2",
                "topic": "llm",
                "varies": ["llm"],
                "setting": {**setting, "encoder": CLIP},
                "metrics": {"mmmu": {"benchmark": "mmmu"}},
                "rows": [
                    {"arm": "7B", "set": {}, "scores": {"mmmu": 30.0}},
                    {
                        "arm": "13B",
                        "set": {"llm": "vicuna-1.5-13b", "llm_params_b": 13},
                        "scores": {"mmmu": 42.0},
                    },
                ],
            },
        ],
    }


def second() -> dict:
    """Another paper: one encoder contrast in the other direction, on percent scales."""
    data = made_up()
    data["paper"] = {**data["paper"], "key": "other", "short": "Other"}
    data["tables"] = data["tables"][:1]
    data["tables"][0]["id"] = "other.encoder"
    for row, score in zip(data["tables"][0]["rows"], (31.0, 30.0, 20.0)):
        row["scores"] = {"mmmu": score, "ocrbench": None, "docvqa": None}
    return data


def often(data: dict, times: int = 5) -> dict:
    """The tables of a paper, so many times over as tables of other runs."""
    data["tables"] = [
        {**copy.deepcopy(table), "id": f"{table['id']}{'' if n == 0 else n}"}
        for n in range(times)
        for table in data["tables"]
    ]
    return data


def evidence(*files: dict, models=()) -> Evidence:
    words = support.library().words
    return Evidence(
        [
            parse_paper(data, f"{data['paper']['key']}.json", words.records("benchmark"))
            for data in files or (made_up(),)
        ],
        words,
        {model["key"]: model for model in models or words.registry("models")["models"]},
    )


def claim(*assertions: dict, cites=("paper",)) -> dict:
    return {
        "format": 2,
        "claims": [
            {
                "id": "X01",
                "claim": "something",
                "cites": list(cites),
                "assertions": [{"asserts": "", **one} for one in assertions],
            }
        ],
    }


def contrast(asserts="SigLIP adds 3", **keys) -> dict:
    base = {
        "kind": "contrast",
        "asserts": asserts,
        "in": ["paper"],
        "from": {"encoder": CLIP},
        "to": {"encoder": SIGLIP},
        "metrics": ["mmmu"],
    }
    return {
        **{k: v for k, v in base.items() if not ("axis" in keys and k in ("from", "to"))},
        **{k.rstrip("_"): v for k, v in keys.items()},
    }


def judged(*assertions: dict, files=()) -> claims.Audit:
    return claims.audit(parse_claims(claim(*assertions), "my.json"), evidence(*files))[0]


def result(assertion: dict, *files) -> str:
    return judged(assertion, files=files).judged[0].result


HOLDS, FAILS = contrast(min=3), contrast(min=4)
ABSENT = {
    "kind": "exists",
    "asserts": "a Q-Former",
    "in": ["paper"],
    "from": {"connector": "q-former"},
    "to": {"connector": "linear"},
}
UNKNOWN = {**ABSENT, "in": "*"}
