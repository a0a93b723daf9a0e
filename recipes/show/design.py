"""Experiments as text and JSON: the answer in words, why, the settings, aliases, power, other
designs.

In: an Experiment and a Style. Out: strings and dictionaries. Does not compute or print.
"""

import math
from collections.abc import Mapping, Sequence

from ..answers.design import Experiment, Option, Seen, Sight
from ..base.wording import clean, number, percent
from ..picker import design as designs
from ..picker.design import Design
from ..terms.units import gpu_name
from .jsonable import recipe
from .recipe import FIELDS, describe
from .text import Style, table, wrap

ROMAN = ("", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI")


def plural(name: str) -> str:
    """A field's name in the plural (data: data mixes)."""
    return {
        "data": "data mixes",
        "llm": "LLMs",
        "visual_tokens": "token counts",
        "data_size": "data sizes",
        "llm_params_b": "LLM sizes",
        "frozen_encoder": "ways to train the encoder",
        "training": "ways of training",
        "tiling": "tilings",
    }.get(name, f"{name}s")


def word(effect: designs.Effect, names: Sequence[str]) -> str:
    """An effect as words: `encoder`, `encoder x data`."""
    return " x ".join(names[i] for i in sorted(effect))


def kind_of(design: Design) -> str:
    """A design in few words."""
    if design.kind == "full":
        return "full factorial"
    if design.kind == "one-at-a-time":
        return "one at a time"
    size = len(design.settings)
    return (
        f"2^({len(design.levels)}-{len(design.levels) - size.bit_length() + 1}), resolution"
        f" {ROMAN[design.resolution]}"
    )


def unseen(design: Design) -> str:
    """What a design cannot tell, in few words."""
    if design.kind == "one-at-a-time":
        return "interactions" if len(design.levels) > 1 else "nothing"
    _, between, within = designs.separates(design)
    return (
        "nothing"
        if not design.relation
        else (
            "nothing below 3-way"
            if within
            else "pairs of interactions"
            if between
            else "effects, interactions"
        )
    )


def averaged(design: Design, names: Sequence[str]) -> str:
    """What a main effect is computed from."""
    if design.kind == "one-at-a-time":
        return "each effect is 1 setting against 1"
    sizes = [len(design.settings) // count for count in design.levels]
    if len(set(sizes)) == 1:
        return "each main effect is " + (
            f"the mean of {sizes[0]} against {sizes[0]}" if sizes[0] > 1 else "1 setting against 1"
        )
    return "main effects compare means of " + joined(
        [f"{size} ({name})" for size, name in zip(sizes, names)]
    )


def aliased(design: Design) -> str:
    """Aliasing in one clause."""
    if design.kind == "one-at-a-time" and len(design.levels) > 1:
        return (
            "no interaction can be seen, and each effect holds only where the others have their"
            " first level"
        )
    mains, between, within = designs.separates(design)
    if within:
        return (
            "nothing is aliased"
            if design.kind == "full"
            else "no main effect or two-factor interaction is aliased with another"
        )
    if between:
        return (
            "no main effect is aliased with a two-factor interaction; some of these are aliased"
            " with each other"
        )
    return "main effects are aliased with two-factor interactions (listed below)"


def thing(seen: Seen, names: Mapping[str, str]) -> str:
    """`2 points on MMMU`."""
    return (
        f"{seen.detect:g} point{'s' * (seen.detect != 1)} on"
        f" {clean(names.get(seen.benchmark, seen.benchmark))}"
    )


def joined(parts: Sequence[str]) -> str:
    """`a, b and c`."""
    return ", ".join(parts[:-1]) + f" and {parts[-1]}" if len(parts) > 1 else "".join(parts)


def answer(value: Experiment, names: Mapping[str, str]) -> str:
    """The answer in one sentence."""
    count = len(value.design.settings)
    parts = [
        f"{count} runs: {' x '.join(f'{len(f.levels)} {plural(f.name)}' for f in value.factors)}"
        + (f" ({kind_of(value.design)})" if value.design.kind != "full" else ""),
        averaged(value.design, [f.name for f in value.factors]),
        aliased(value.design),
    ]
    hours = (
        ""
        if value.total_hours is None
        else f", {value.total_hours:,.0f} {gpu_name(value.gpu)}-hours"
    )
    asked = value.asked
    if asked.detect is None:
        parts.append(
            f"{value.seeds} seed{'s' * (value.seeds > 1)} each ({count * value.seeds} runs{hours})"
        )
        parts += [
            f"they see {'interactions of ' * asked.interactions}{item.asked.smallest:.2g} points or"
            f" more on {clean(names.get(item.benchmark, item.benchmark))} with power"
            f" {asked.power:g}"
            for item in value.seen
        ]
        return "; ".join(parts)
    seen = joined([thing(item, names) for item in value.seen])
    short = [item for item in value.seen if item.asked.power < asked.power - 1e-9]
    each = f"{value.seeds} seed{'s' * (value.seeds > 1)} each ({count * value.seeds} runs{hours})"
    if not short:
        what = "see main effects and interactions of" if asked.interactions else "see"
        return "; ".join([*parts, f"{each} {what} {seen} with power {asked.power:g}"])
    weak = joined(
        [f"{thing(item, names)} only {percent(item.asked.power)} of the time" for item in short]
    )
    return "; ".join(
        [
            *parts,
            f"{each} see {'an interaction of ' * asked.interactions}{weak}"
            + ("" if asked.seeds is not None else "; no number of seeds reaches the asked power"),
        ]
    )


def reasons(value: Experiment) -> list[str]:
    """Why so many settings: what fewer cannot do."""
    design, factors = value.design, value.factors
    levels = [len(factor.levels) for factor in factors]
    least, count = designs.least_settings(levels), len(design.settings)
    out = [
        f"at least {least} settings: one unknown for the mean and"
        f" {joined([f'{n - 1} for {f.name}' for n, f in zip(levels, factors)])}"
    ]
    alone = designs.one_at_a_time(levels)
    ratio = designs.main_factor(alone) / designs.main_factor(design)
    if design.kind != "one-at-a-time" and len(levels) > 1:
        price = (
            f"each effect rests on two settings: {ratio:.3g} times the seeds for the same precision"
            f" ({least} x {ratio:.3g} = {ratio * least:.3g} runs where {count} do here)"
        )
        out.append(
            f"one at a time does with {least}, but never sees whether the gain from one factor"
            f" depends on the level of another, and {price}"
            if count > least
            else f"one at a time takes {least} as well, but {price}"
        )
    if (
        design.kind != "one-at-a-time"
        and len(levels) > 1
        and designs.interaction_factor(design) is not None
    ):
        ratio = designs.interaction_factor(design) / designs.main_factor(design)
        out.append(
            "an interaction (the gain of one factor differs by as much between two levels of"
            f" another) takes {ratio:.3g} times the seeds of a main effect"
            + ("" if value.asked.interactions else ": --interactions plans for it")
        )
    if design.kind == "fraction" and not designs.separates(design)[1]:
        better = designs.smallest(levels, 4)
        out.append(
            f"{len(better.settings)} settings keep main effects apart from two-factor interactions"
            " (without --fraction)"
        )
    out += _no_more_runs(value)
    if design.kind == "full" and any(n > 2 for n in levels) and len(levels) > 1:
        out.append(
            "with more than two levels only the full factorial and one at a time are offered"
        )
    return out


def _no_more_runs(value: Experiment) -> list[str]:
    """The design that tells more apart for no more runs, if there is one."""
    design = value.design
    mine = next(option for option in value.options if option.design == design)
    if value.asked.detect is None or not mine.seeds:
        return []
    for option in value.options:
        count = len(option.design.settings)
        if (
            option.seeds
            and designs.separates(option.design) > designs.separates(design)
            and count * option.seeds <= len(design.settings) * mine.seeds
        ):
            wide = designs.separates(option.design)[2]
            flag = "--interactions" if wide else f"without --{design.kind}"
            flag = "--full" if option.design.kind == "full" else flag
            return [
                f"{count} settings with {option.seeds} seed{'s' * (option.seeds > 1)} are no more"
                f" runs and tell more apart ({kind_of(option.design)}): {flag} --seeds"
                f" {option.seeds}"
            ]
    return []


def alias_lines(design: Design, names: Sequence[str]) -> list[str]:
    """The generators, the defining relation and the alias sets of a fraction."""
    if not design.relation:
        return []
    letters = ", ".join(f"{designs.LETTERS[i]} = {name}" for i, name in enumerate(names))
    generators = designs.GENERATORS[len(design.levels), len(design.settings)]
    basic = len(design.levels) - len(generators)
    relation = [designs.letters_of(words) for words in design.relation]
    shown = relation[:15] + [f"… ({len(relation)} words)"] * (len(relation) > 15)
    made = [f"{designs.LETTERS[basic + i]} = {text}" for i, text in enumerate(generators)]
    out = [
        letters,
        f"generators: {', '.join(made)}; I = {' = '.join(shown)}",
    ]
    sets = [effects for effects in designs.aliases(design) if len(effects) > 1]
    out += [" = ".join(word(effect, names) for effect in effects) for effects in sets]
    return out


def experiment_text(
    value: Experiment, names: Mapping[str, str], style: Style, shown: int = 16
) -> str:
    """`design`: the answer in words, why, the settings, aliases, power, other designs, notes."""
    lines = [style.paint(line, "bold") for line in wrap(answer(value, names), style)]
    lines += ["", style.paint("why so many", "bold")]
    for text in reasons(value):
        lines += wrap("- " + text, style, hang="  ")
    factors = [factor.name for factor in value.factors]
    lines += [
        "",
        style.paint(
            "the settings" + (f" (each with {value.seeds} seeds)" if value.seeds > 1 else ""),
            "bold",
        ),
        *setting_lines(value, style, shown),
    ]
    lines += wrap(f"hours: {gpu_name(value.gpu)}-hours, one run", style)
    held = describe(
        value.runs[0].recipe,
        [field for field in FIELDS if len({getattr(run.recipe, field) for run in value.runs}) == 1],
    )
    lines += wrap(f"held: {held}", style, hang="      ")
    mixed = alias_lines(value.design, factors)
    if mixed:
        lines += [
            "",
            style.paint("what is mixed up", "bold"),
            *(part for text in mixed for part in wrap(text, style, "  ", "    ")),
        ]
    lines += ["", *power_lines(value, names, style)] if value.seen else []
    lines += ["", style.paint("other designs", "bold"), *option_lines(value, style)]
    lines += [""] if value.notes else []
    for text in value.notes:
        lines += wrap("note: " + text, style, hang="      ")
    if not value.seen:
        lines += [
            "",
            *wrap(
                "seeds: --detect 1.0 --benchmark mmmu says how many it takes to see an effect over"
                " the noise",
                style,
            ),
        ]
    return "\n".join(lines)


def setting_lines(value: Experiment, style: Style, shown: int) -> list[str]:
    """The settings as a table: levels by name where they fit, else by number with a legend."""
    settings, factors = list(zip(value.design.settings, value.hours))[:shown], value.factors
    ends = [["?" if hours is None else f"{hours:,.0f}"] for _, hours in settings]
    names = [
        [clean(factor.levels[level]) for level, factor in zip(setting, factors)]
        for setting, _ in settings
    ]
    head, legend = [factor.name for factor in factors], []
    if sum(max(map(len, column)) + 2 for column in zip(head, *names)) + 10 > style.width:
        head, names = (
            list(designs.LETTERS[: len(factors)]),
            [[str(level + 1) for level in setting] for setting, _ in settings],
        )
        for letter, factor in zip(head, factors):
            legend += wrap(
                f"{letter} {factor.name}: "
                + ", ".join(f"{i} {level}" for i, level in enumerate(factor.levels, 1)),
                style,
                "  ",
                "    ",
            )
    rows = [[str(i), *levels, *end] for i, (levels, end) in enumerate(zip(names, ends), 1)]
    more = len(value.runs) - len(rows)
    return [
        *legend,
        *table(["run", *head, "hours"], rows, "r" + "l" * len(factors) + "r", style),
        *([style.paint(f"and {more} more settings: --json lists all", "dim")] if more else []),
    ]


def power_lines(value: Experiment, names: Mapping[str, str], style: Style) -> list[str]:
    """Noise, seeds and questions per benchmark, and what was assumed."""
    asked, about = (
        value.asked,
        (
            "an interaction (four groups of settings)"
            if value.asked.interactions
            else "a main effect"
        ),
    )
    rows = []
    for item in value.seen:
        noise, sight = item.noise, item.asked
        row = [
            clean(names.get(item.benchmark, item.benchmark)),
            f"{math.sqrt(noise.run + noise.questions):.2g}",
            f"{math.sqrt(noise.run):.2g}",
            f"{math.sqrt(noise.questions):.2g}",
            "?" if noise.count is None else f"{noise.count:,}",
        ]
        if asked.detect is not None:
            row += [
                "never" if sight.seeds is None else str(sight.seeds),
                percent(sight.power),
                "-" if sight.questions is None else f"{sight.questions:,}",
            ]
        rows.append([*row, f"{sight.smallest:.2g}"])
    more = ["seeds", "power", "need"] if asked.detect is not None else []
    lines = [
        style.paint("noise of one run, in points", "bold"),
        *table(
            ["benchmark", "sd", "runs", "questions", "of", *more, "sees"],
            rows,
            "l" + "r" * (5 + len(more)),
            style,
        ),
    ]
    with_ = f"{value.seeds} seed{'s' * (value.seeds > 1)}"
    what = (
        f"of {about}: seeds = per setting for power {asked.power:g}; power, need (questions), sees"
        f" (points) = with {with_}"
        if more
        else f"sees = the smallest size in points of {about} with power {asked.power:g} and {with_}"
    )
    lines += wrap(what, style)
    for text in (*larger(value, names), *assumptions(value)):
        lines += wrap("- " + text, style, hang="  ")
    return lines


def larger(value: Experiment, names: Mapping[str, str]) -> list[str]:
    """What would do where no number of seeds does."""
    return [
        f"{thing(item, names)}: {larger_[0]} seed{'s' * (larger_[0] > 1)} each and {larger_[1]:,}"
        " questions of its kind would do"
        for item in value.seen
        if (larger_ := item.asked.larger)
    ]


def assumptions(value: Experiment) -> list[str]:
    """What the power rests on."""
    asked, tests = value.asked, len(value.seen)
    each = (
        f", for each {'effect' if asked.interactions else 'factor'} by itself"
        if len(value.factors) > 1
        else ""
    )
    out = [
        f"two-sided normal test at {asked.alpha:g}{each}"
        + "; the noise is that of published tables and counts as known"
    ]
    if tests > 1:
        name = "Holm" if asked.correct == "holm" else "Benjamini-Hochberg"
        out.append(
            f"{tests} benchmarks, {name}: planned at {asked.alpha / tests:.3g}, the level of its"
            " first step (Bonferroni bound), which holds when one benchmark alone moves"
            + (
                f"; where all move, {best} seed{'s' * (best > 1)} per setting"
                f" {'do' if best > 1 else 'does'}{' for interactions' * asked.interactions}"
                if (best := _best(value))
                else ""
            )
        )
    if asked.paired:
        out.append(
            f"the same seeds in all settings, which share {asked.paired:.0%} of the runs' variance"
            " (assumed by you)"
        )
    else:
        out.append(
            "runs are independent: use the same seeds in all settings, but no table says how much"
            " that removes (--paired 0.3: 30% of the runs' part)"
        )
    if asked.new_questions:
        out.append(
            "for new questions: all runs answer the same ones, so that part stays however many"
            " seeds"
        )
    elif any(item.noise.questions for item in value.seen):
        out.append(
            "about these questions: seeds average their part as well; for questions like these it"
            " stays (--new-questions)"
        )
    unknown = [item.benchmark for item in value.seen if not item.measured]
    if unknown:
        out.append(f"no table ablates {joined(unknown)}: a typical scale is assumed")
    bare = [item.benchmark for item in value.seen if not item.noise.questions]
    if bare:
        out.append(
            f"the number of questions of {joined(bare)} is not known here: their part is left out"
        )
    return out


def _best(value: Experiment) -> int | None:
    found = [item.asked.seeds_best for item in value.seen]
    return None if None in found or not found else max(found)


def option_lines(value: Experiment, style: Style) -> list[str]:
    """The designs side by side."""
    rows = []
    for option in value.options:
        mine = option.design == value.design
        count = len(option.design.settings)
        rows.append(
            [
                ("* " if mine else "  ") + kind_of(option.design),
                str(count),
                "-" if option.seeds is None else str(option.seeds),
                "-" if option.seeds is None else f"{count * option.seeds:,}",
                "-" if option.hours is None else f"{option.hours:,.0f}",
                unseen(option.design),
            ]
        )
    return table(
        ["design", "settings", "seeds", "runs", "hours", "cannot tell"], rows, "lrrrrl", style, 5, 0
    )


def design_json(design: Design, names: Sequence[str]) -> dict:
    """A design alone."""
    mains, between, within = designs.separates(design)
    generators = (
        designs.GENERATORS[len(design.levels), len(design.settings)] if design.relation else ()
    )
    basic = len(design.levels) - len(generators)
    return {
        "kind": design.kind,
        "settings": len(design.settings),
        "resolution": design.resolution,
        "letters": {designs.LETTERS[i]: name for i, name in enumerate(names)},
        "generators": [f"{designs.LETTERS[basic + i]}={text}" for i, text in enumerate(generators)],
        "defining_relation": [designs.letters_of(words) for words in design.relation],
        "aliases": [
            [word(effect, names) for effect in effects] for effects in designs.aliases(design)
        ],
        "separates": {
            "main_effects": mains,
            "main_effects_from_interactions": between,
            "interactions": within,
        },
    }


def sight_json(value: Sight) -> dict:
    """How well one comparison is seen on one benchmark."""
    return {
        "seeds": value.seeds,
        "seeds_if_all_move": value.seeds_best,
        "power": number(value.power),
        "smallest_effect": number(value.smallest),
        "questions_needed": value.questions,
        "larger_benchmark": (
            value.larger and {"seeds": value.larger[0], "questions": value.larger[1]}
        ),
    }


def option_json(option: Option, names: Sequence[str]) -> dict:
    """One design to choose."""
    count = len(option.design.settings)
    return {
        "kind": option.design.kind,
        "settings": count,
        "resolution": option.design.resolution,
        "seeds": option.seeds,
        "runs": None if option.seeds is None else count * option.seeds,
        "gpu_hours": number(option.hours),
        "cannot_tell": unseen(option.design),
    }


def experiment_json(value: Experiment, names: Mapping[str, str]) -> dict:
    """`design --json`."""
    factors = [factor.name for factor in value.factors]
    asked = value.asked
    return {
        "answer": answer(value, names),
        "why": reasons(value),
        "factors": [
            {"factor": f.name, "levels": list(f.levels), "assumed": f.assumed}
            for f in value.factors
        ],
        "design": design_json(value.design, factors),
        "least_settings": designs.least_settings(value.design.levels),
        "seeds": value.seeds,
        "runs_total": value.seeds * len(value.runs),
        "gpu": value.gpu,
        "plan": value.plan,
        "gpu_hours": number(value.total_hours),
        "runs": [
            {
                "name": run.name,
                "levels": {f.name: f.levels[level] for f, level in zip(value.factors, setting)},
                "recipe": recipe(run.recipe),
                "gpu_hours": number(hours),
            }
            for run, setting, hours in zip(value.runs, value.design.settings, value.hours)
        ],
        "power": {
            "power": asked.power,
            "alpha": asked.alpha,
            "correct": asked.correct,
            "paired": asked.paired,
            "new_questions": asked.new_questions,
            "planned_for": "interactions" if asked.interactions else "main effects",
            "benchmarks": [
                {
                    "benchmark": item.benchmark,
                    "detect": number(item.detect),
                    "alpha": number(item.alpha),
                    "noise": {
                        "run_sd": number(math.sqrt(item.noise.run)),
                        "questions_sd": number(math.sqrt(item.noise.questions)),
                        "questions": item.noise.count,
                    },
                    **sight_json(item.main),
                    "seeds_interaction": item.interaction and item.interaction.seeds,
                    "power_interaction": item.interaction and number(item.interaction.power),
                    "interaction": item.interaction and sight_json(item.interaction),
                }
                for item in value.seen
            ],
        },
        "options": [option_json(option, factors) for option in value.options],
        "warnings": [*value.notes, *(assumptions(value) if value.seen else [])],
    }
