#!/usr/bin/python3
"""Tunnels that move over graceful restarts in a row: see tests/stress/README.md. Exits 1 on a loss, a crash, a sanitizer report or a
child that stays behind, with what was seen."""

import sys

import private_httpd

# Tunnels of each kind, and restarts.
_USUAL = {"restarts": (300, 20), "kills": (500, 20), "idle": (2500, 5), "leaks": (50, 100)}


def main():
    options = private_httpd.parser(__doc__, timed=False)
    options.add_argument("story", choices=_USUAL)
    options.add_argument("--restarts", type=int, metavar="N")
    given = options.parse_args()
    private_httpd.use_module(given.asan)
    from harness import move_stories, moves
    tunnels, restarts = _USUAL[given.story]
    with private_httpd.starter(given.mpm) as (start, certificates), moves.Backends(certificates) as backends:
        print(move_stories.STORIES[given.story](start, given.mpm, certificates.client_context(), backends,
                                                given.tunnels or tunnels, given.restarts or restarts))


if __name__ == "__main__":
    sys.exit(main())
