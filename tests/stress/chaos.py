#!/usr/bin/python3
"""Chaos for as long as it is told: see tests/stress/README.md. Exits 1 on any loss, crash, sanitizer report or child that
stays behind, with what was seen."""

import sys

import private_httpd


def main():
    options = private_httpd.parser(__doc__)
    options.add_argument("--restart-every", type=float, default=4, metavar="SECONDS")
    given = options.parse_args()
    private_httpd.use_module(given.asan)
    from harness import chaos
    plan = chaos.Plan(given.seconds, tunnels=given.tunnels or 50, restart_every=given.restart_every)
    with private_httpd.starter(given.mpm) as (start, certificates):
        figures = chaos.run(start, given.mpm, certificates, plan)
    print(figures)


if __name__ == "__main__":
    sys.exit(main())
