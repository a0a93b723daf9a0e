"""Records of a registry file, each parsed when it is asked for.

In: the text of a file as `write.dump_registry` writes it (a record a line). Out: a read-only
mapping of key to record. A file written otherwise is parsed whole. Does not check anything.
"""

import json
from collections.abc import ItemsView, Iterator, Mapping, ValuesView


class Records(Mapping[str, dict]):
    """The records of one list of a registry file, by their `key`."""

    def __init__(self, text: str, name: str, key: str):
        self._parsed: dict[str, dict] = {}
        self._lines = _lines(text, name, key)
        if self._lines is None:
            self._parsed = {record[key]: record for record in json.loads(text).get(name, ())}
            self._lines = dict.fromkeys(self._parsed, "")

    def __getitem__(self, slug: str) -> dict:
        if slug not in self._parsed:
            self._parsed[slug] = json.loads(self._lines[slug])
        return self._parsed[slug]

    def values(self) -> ValuesView[dict]:
        """All records, parsed at once."""
        left = [slug for slug in self._lines if slug not in self._parsed]
        text = ",".join([self._lines[slug] for slug in left])
        self._parsed.update(zip(left, json.loads(f"[{text}]")))
        return super().values()

    def items(self) -> ItemsView[str, dict]:
        """All keys and records, parsed at once."""
        self.values()
        return super().items()

    def __iter__(self) -> Iterator[str]:
        return iter(self._lines)

    def __len__(self) -> int:
        return len(self._lines)


def _lines(text: str, name: str, key: str) -> dict[str, str] | None:
    """Key -> its line; None when the list is not written a record a line."""
    head = f'\n "{name}": [\n'
    start = text.find(head)
    end = text.find("\n ]", start)
    if start < 0 or end < 0:
        return None
    before = f'  {{"{key}": "'
    out = {}
    for line in text[start + len(head) : end].split("\n"):
        stop = line.find('"', len(before))
        if not line.startswith(before) or stop < 0:
            return None
        out[line[len(before) : stop]] = line.rstrip(",")
    return out
