"""What the writers of several training programs share: the stages of a plan, and the head of a
stage's script.

In: a Job and its Target. Out: names of stages, comment lines. Knows no single program.
"""

from .target import Job, Target, about, sources

STAGES = {
    "llava": ("align", "instruct"),
    "three-stage": ("align", "knowledge", "instruct"),
    "one-stage": ("instruct",),
    "finetune": ("instruct",),
}
DOES = {"align": "connector", "knowledge": "connector and LLM", "instruct": "connector and LLM"}

# What a program's writer gives: (name, text) of its files, where the trained model lies, and how
# lmms-eval reads it.
Written = tuple[list[tuple[str, str]], str, tuple[str, str] | None]


def heading(
    job: Job,
    target: Target,
    stages: tuple[str, ...],
    stage: str,
    frozen: bool,
    shown: tuple[str, ...],
) -> list[str]:
    """The comment at the head of the script of one stage."""
    trains = DOES[stage] + (" and encoder" if stage != "align" and not frozen else "")
    return [
        *about(
            job,
            target,
            f"stage {stages.index(stage) + 1} of {len(stages)} ({stage}), trains {trains}",
        ),
        *sources(target, (stage, "all"), shown),
    ]
