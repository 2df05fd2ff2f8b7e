"""Which files an Include, or a folder on the command line, stands for."""

import fnmatch
import os
import pathlib

SUFFIXES = (".conf", ".load", ".vhost")


def files_of(server_root, pattern):
    """The files of `Include pattern`, in httpd's order. A plain name that does not exist is returned too: reading it
    will tell."""
    path = server_root / pattern
    if not is_pattern(str(path)):
        return all_files_below(path) if path.is_dir() else [path]
    found = []
    for match in matches_of(path):
        found += all_files_below(match) if match.is_dir() else [match]
    return found


def is_pattern(text):
    return any(sign in text for sign in "*?[")


def matches_of(path):
    """Every path that matches, component by component; a symbolic link that leads nowhere is one too."""
    found = [pathlib.Path(path.anchor)]
    for part in path.parts[1:]:
        found = [match for folder in found for match in children(folder, part)]
    return found


def children(folder, part):
    if not is_pattern(part):
        child = folder / part
        return [child] if os.path.lexists(child) else []
    return [folder / name for name in names_in(folder) if fnmatch.fnmatchcase(name, part) and not name.startswith(".")]


def names_in(folder):
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def all_files_below(folder):
    """Every file, as httpd takes a folder's: all names, folders too, in order."""
    found = []
    for name in names_in(folder):
        path = folder / name
        if not path.is_dir():
            found.append(path)
        elif not path.is_symlink():  # one may lead back up
            found += all_files_below(path)
    return found


def configuration_files_below(folder):
    return [path for path in all_files_below(folder) if path.name.endswith(SUFFIXES)]
