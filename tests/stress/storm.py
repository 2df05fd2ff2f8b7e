#!/usr/bin/python3
"""Graceful restarts as fast as httpd takes them: see tests/stress/README.md. Exits 1 if a tunnel meets with anything but a
whole Close, on a crash, a sanitizer report or a child that stays behind, with what was seen."""

import sys

import private_httpd


def main():
    given = private_httpd.parser(__doc__).parse_args()
    private_httpd.use_module(given.asan)
    from harness import storm
    with private_httpd.starter(given.mpm) as (start, certificates):
        figures = storm.run(start, given.mpm, certificates.client_context(), given.tunnels or 500, given.seconds)
    print(figures)


if __name__ == "__main__":
    sys.exit(main())
