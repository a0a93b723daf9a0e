"""Which vision-language recipe to train: answers from published ablation tables, each number with
its rows.
"""

__version__ = "0.1.0"
