"""The ways a tunnel is kept going: tests of open tunnels run with all of them."""

import pytest

from .foreign import load_line

# In the event loop of the child; in the request thread by choice; in the request thread because a connection filter
# that the module does not know sits in between.
PUMPS = ("loop", "thread", "filtered")
# For fixtures: "filtered" runs the code of "thread" and differs in the reason (handover.cpp) and in the foreign filter, which
# test_pump_choice.py has on every MPM.
PUMP_PARAMS = ("loop", "thread",
               pytest.param("filtered", marks=[pytest.mark.runs_on("event"), pytest.mark.asan_repeats]))


def pump_line(pump):
    """The configuration that makes tunnels go this way."""
    if pump == "filtered":
        return load_line("foreign_filter")
    return f"ProxyWebsocketAsync {'On' if pump == 'loop' else 'Off'}"
