"""What a recipe is made of: the axes that are chosen, and what is recorded beside them.

Constants alone: which setting belongs to which axis is the registry's (Vocabulary.axis_of).
"""

COMPONENTS = ("encoder", "connector", "llm", "data")  # the axes whose levels have names
AXES = (*COMPONENTS, "resolution")
BESIDE = ("visual_tokens", "training", "architecture")  # no axes of a recipe, but they move scores
