"""The one kind of error that is for the user: an input that cannot be used. Its text is one line,
and the exit code is 2.
"""


class Refused(ValueError):
    """An input that cannot be used; the message names it, where it stands, and what would be
    accepted.
    """
