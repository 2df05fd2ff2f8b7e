"""What the report consists of: one Finding per thing that a person should know."""

import dataclasses

# In the order in which they stand for one line.
SEVERITIES = ("mapping", "route", "mistake", "change", "delete", "note")
COUNTED = {
    "mapping": ("WebSocket mapping", "WebSocket mappings"),
    "mistake": ("mistake", "mistakes"),
    "change": ("line to change", "lines to change"),
    "delete": ("thing that may go", "things that may go"),
    "note": ("note", "notes"),
}


@dataclasses.dataclass(frozen=True)
class Finding:
    place: object
    severity: str
    text: str
    fix: str = ""  # the name of what write.py would do about it, where that is safe

    def __str__(self):
        return f"{self.place}: {self.severity}: {self.text}"


def mistake(place, text, fix=""):
    return Finding(place, "mistake", text, fix)


def change(place, text, fix=""):
    return Finding(place, "change", text, fix)


def delete(place, text):
    return Finding(place, "delete", text)


def route(place, text):
    return Finding(place, "route", text)


def note(place, text):
    return Finding(place, "note", text)


def in_order(findings, files):
    """Each once, by file as first read, line and severity."""
    rank = {name: number for number, name in enumerate(files)}
    unique = {(f.place.file, f.place.line, f.severity, f.text): f for f in findings}
    return sorted(unique.values(), key=lambda f: (rank.get(f.place.file, 0), f.place.line, SEVERITIES.index(f.severity)))


def summary(findings, file_count):
    parts = []
    for severity in COUNTED:
        number = sum(finding.severity == severity for finding in findings)
        if number or severity in ("mapping", "mistake"):
            parts.append(f"{number} {COUNTED[severity][number != 1]}")
    return f"{file_count} {'file' if file_count == 1 else 'files'} read: " + ", ".join(parts)
