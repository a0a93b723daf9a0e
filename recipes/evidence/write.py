"""Canonical text of table and registry files.

In: the plain dictionaries of one file. Out: JSON text with one row, metric or record per line, so that a
reviewer's diff shows one line per changed row and a finding can name the line of a cell.
Does not read or write files.
"""
import json


def _line(value) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(", ", ": "))


def _block(items: list[str], indent: str) -> str:
    return ",\n".join(indent + item for item in items)


def _table(table: dict) -> str:
    parts = []
    for key, value in table.items():
        if key == "metrics":
            body = _block([f"{_line(name)}: {_line(metric)}" for name, metric in value.items()], "    ")
            parts.append(f'"metrics": {{\n{body}\n   }}')
        elif key == "rows":
            body = _block([_line(row) for row in value], "    ")
            parts.append(f'"rows": [\n{body}\n   ]')
        elif value is not None:
            parts.append(f"{_line(key)}: {_line(value)}")
    return "{\n" + _block(parts, "   ") + "\n  }"


def _drop_nulls(setting: dict) -> dict:
    """A setting that is absent means the same as null: the paper does not say."""
    return {key: value for key, value in setting.items() if value is not None}


def dump_paper(file: dict) -> str:
    """Text of one tables/PAPER.json (keys in the order given; a table's null settings are left out)."""
    parts = []
    for key, value in file.items():
        if key == "tables":
            tables = [_table({**table, "setting": _drop_nulls(table["setting"])}) for table in value]
            parts.append('"tables": [\n' + _block(tables, "  ") + "\n ]")
        elif isinstance(value, dict):
            body = _block([f"{_line(k)}: {_line(v)}" for k, v in value.items()], "  ")
            parts.append(f"{_line(key)}: {{\n{body}\n }}")
        else:
            parts.append(f"{_line(key)}: {_line(value)}")
    return "{\n" + _block(parts, " ") + "\n}\n"


def dump_registry(data: dict) -> str:
    """Text of one tables/registry/*.json: each record of a list, each entry of a dictionary, on its own line."""
    parts = []
    for key, value in data.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            parts.append(f"{_line(key)}: [\n" + _block([_line(v) for v in value], "  ") + "\n ]")
        elif isinstance(value, dict) and value:
            body = _block([f"{_line(k)}: {_line(v)}" for k, v in value.items()], "  ")
            parts.append(f"{_line(key)}: {{\n{body}\n }}")
        else:
            parts.append(f"{_line(key)}: {_line(value)}")
    return "{\n" + _block(parts, " ") + "\n}\n"
