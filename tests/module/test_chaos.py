"""tests/stress/chaos.py for a few seconds."""

import pytest

from harness import chaos

# What differs between MPMs in this has tests of its own.
RUNS_ON = ("event",)


@pytest.mark.threads
def test_chaos_costs_control_tunnels_no_byte(start, mpm, certificates):
    plan = chaos.Plan(seconds=5, tunnels=12, disturbers=6, restart_every=0.3, restarts=3)
    figures = chaos.run(start, mpm, certificates, plan)
    print(figures)
    assert figures.restarts >= plan.restarts and figures.compared > 100_000
