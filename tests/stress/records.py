#!/usr/bin/python3
"""TLS 1.3 records at random through tunnels whose records the module makes itself: see tests/stress/README.md. Exits 1 on a byte
that is lost or changed, a crash, a sanitizer report or a child that stays behind."""

import random
import sys

import private_httpd


def main():
    options = private_httpd.parser(__doc__)
    options.add_argument("--openssl", action="store_true", help="with ProxyWebsocketOwnRecords Off, to compare with")
    options.add_argument("--seed", type=int, help="repeats a run, as far as two processes can be repeated")
    given = options.parse_args()
    private_httpd.use_module(given.asan)
    seed = given.seed if given.seed is not None else random.randrange(1 << 32)
    print(f"seed {seed}", flush=True)
    random.seed(seed)
    from harness import record_storm
    with private_httpd.starter(given.mpm) as (start, certificates):
        print(record_storm.run(start, certificates, given.seconds, own=not given.openssl))


if __name__ == "__main__":
    sys.exit(main())
