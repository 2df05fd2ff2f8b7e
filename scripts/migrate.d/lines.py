"""Text, as httpd takes it apart: logical lines, and the words of one."""

import functools
import pathlib


def read_text(path):
    """The file's text; bytes that are no UTF-8 survive a round trip through write_text."""
    return pathlib.Path(path).read_bytes().decode("utf-8", "surrogateescape")


@functools.lru_cache(maxsize=1000)
def logical_lines(text):
    return list(joined_lines(text))


def joined_lines(text):
    """(first line, last line, text) with continuation lines joined, as httpd's ap_cfg_getline does."""
    held, first = "", None
    number = 0
    for number, line in enumerate(text.split("\n"), 1):
        line = line[:-1] if line.endswith("\r") else line
        first = first or number
        if line.endswith("\\"):
            held += line[:-1]
            continue
        yield first, number, held + line
        held, first = "", None
    if first:
        yield first, number, held


def words(text):
    """Arguments as ap_getword_conf splits them: blanks separate, "..." and '...' hold together."""
    found, rest = [], text.strip()
    while rest:
        word, rest = quoted_word(rest) if rest[0] in "\"'" else plain_word(rest)
        found.append(word)
        rest = rest.lstrip()
    return found


def quoted_word(text):
    quote, word, position = text[0], "", 1
    while position < len(text) and text[position] != quote:
        if text[position] == "\\" and text[position + 1:position + 2] in ("\\", quote):
            position += 1
        word += text[position]
        position += 1
    return word, text[position + 1:]


def plain_word(text):
    word, _, rest = text.replace("\t", " ").partition(" ")
    return word, rest


@functools.lru_cache(maxsize=10000)
def split_directive(text):
    name, _, rest = text.strip().replace("\t", " ", 1).partition(" ")
    return name.lower(), words(rest)


def substitute(line, values):
    for parameter in sorted(values, key=len, reverse=True):  # as mod_macro does: $host2 before $host
        line = line.replace(parameter, values[parameter])
    return line
