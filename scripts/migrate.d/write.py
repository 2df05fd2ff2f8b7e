"""Makes the changes that are safe, keeps a backup of each file, and tells what was changed as a unified diff."""

import dataclasses
import difflib
import fnmatch
import os
import re
import shutil
import time

import mistakes
from lines import read_text

EDITS = {
    "one_slash": lambda line: mistakes.ONE_SLASH.sub(r"\1://", line),
    "map_syntax": lambda line: mistakes.MAP_SYNTAX.sub("%{HTTP:", line),
    "load_module": lambda line: line.replace("proxy_wstunnel", "proxy_websocket"),
    "module_either": lambda line: re.sub("proxy_wstunnel_module", "proxy_module", re.sub(
        r"mod_proxy_wstunnel\.c", "mod_proxy.c", line, flags=re.IGNORECASE), flags=re.IGNORECASE),
    "module_name": lambda line: re.sub("proxy_wstunnel", "proxy_websocket", line, flags=re.IGNORECASE),
}


@dataclasses.dataclass
class Rewritten:
    """A file's text before and after."""

    path: str
    name: str
    before: str
    after: str
    backup: str = ""


def reason_to_keep_module(findings, tree):
    """Why the LoadModule line had better be left to the user; None where it can be written."""
    old = tree.loaded("proxy_wstunnel_module")
    if old is None or len(old.args) < 2 or not any(finding.fix == "load_module" for finding in findings):
        return None
    file = tree.server_root / old.args[1]
    ours = file.with_name(file.name.replace("proxy_wstunnel", "proxy_websocket"))
    if file.is_file() and not ours.is_file():  # where neither is, this is another machine's configuration
        return f"{ours} is not there yet; scripts/install puts it there"
    if os.path.lexists(os.path.join(os.path.dirname(os.path.realpath(old.place.file)), "proxy_websocket.load")):
        return "a2dismod proxy_wstunnel && a2enmod proxy_websocket does it"
    return None


def rewrite_files(findings, tree):
    """The files that change, with their new text; nothing is written yet."""
    real_paths = {name: path for path, name in tree.files.items()}
    by_file = {}
    for finding in findings:
        by_file.setdefault(finding.place.file, []).append(finding)
    for name, found in by_file.items():
        path = real_paths[name]
        before = read_text(path)
        after = edited(before, found)
        if after != before:
            yield Rewritten(path, name, before, after)


def edited(text, findings):
    lines = text.split("\n")
    for finding in findings:
        for number in range(finding.place.line, finding.place.last + 1):
            lines[number - 1] = EDITS[finding.fix](lines[number - 1])
    return "\n".join(lines)


def include_that_takes(path, tree):
    """The Include that would have httpd read a file of this name: a backup there would count as configuration."""
    return next((place for place, pattern in tree.includes if takes(os.path.realpath(pattern), path)), None)


def takes(pattern, path):
    in_folder = path.startswith(os.path.join(pattern, ""))
    return in_folder or (pattern.count("/") == path.count("/") and fnmatch.fnmatchcase(path, pattern))


def save(rewritten, tree):
    """Writes the file and its backup. Raises OSError; a backup is never overwritten."""
    backup = f"{rewritten.path}.orig-{time.strftime('%Y%m%d%H%M%S')}"
    taker = include_that_takes(backup, tree)
    if taker is not None:
        raise OSError(0, f"left alone: the Include at {taker} would read a backup in this folder too; let it say *.conf first")
    if os.path.lexists(backup):
        raise FileExistsError(0, f"left alone: {backup} exists already; try again in a second")
    shutil.copy2(rewritten.path, backup)
    with open(rewritten.path, "r+b") as file:  # in place: owner, mode and links stay
        file.write(rewritten.after.encode("utf-8", "surrogateescape"))
        file.truncate()
    rewritten.backup = backup


def diff_of(rewritten):
    lines = difflib.unified_diff(lines_with_ends(rewritten.before), lines_with_ends(rewritten.after), rewritten.backup, rewritten.name)
    for line in lines:
        yield line.rstrip("\n")
        if not line.endswith("\n"):
            yield "\\ No newline at end of file"


def lines_with_ends(text):
    return [line + "\n" for line in text.split("\n")[:-1]] + [last for last in text.split("\n")[-1:] if last]
