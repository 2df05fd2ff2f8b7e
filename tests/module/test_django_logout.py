"""conf/examples/django_logout.py: a logout in Django ends tunnels on several machines, and one that is down does not matter."""

import importlib.util
import logging
from types import SimpleNamespace

import pytest

from harness.config import REPOSITORY
from harness.httpd import free_port
from harness.pair import open_pair
from harness.waiting import wait_until

RUNS_ON = ["event"]   # what is run is Django and POST

pytest.importorskip("django", reason="needs python3-django")


@pytest.fixture
def recipe():
    from django.conf import settings
    if not settings.configured:
        settings.configure()
    path = REPOSITORY / "conf/examples/django_logout.py"
    spec = importlib.util.spec_from_file_location("django_logout", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module._PAUSE = 0.05
    yield module
    module.user_logged_out.disconnect(dispatch_uid="close-websockets")
    module._pool.shutdown()


def test_a_logout_ends_the_users_tunnels_on_all_machines(start, stage, recipe, caplog):
    caplog.set_level(logging.INFO)
    machines = [start(f"""
        <Location /websocket-status>
            SetHandler websocket-status
            ProxyWebsocketStatusActions On
            Require local
        </Location>
        ProxyWebsocketTag "%{{resp:X-User}}"
        Header unset X-User
        ProxyPass /ws {stage.url}/
        """) for _ in range(2)]
    from django.conf import settings
    settings.WEBSOCKET_STATUS_URLS = [f"http://127.0.0.1:{port}/websocket-status"
                                      for port in (machines[0].port, free_port(), machines[1].port)]
    alices = [open_pair(machine, "/ws", stage, answer={"X-User": "alice"}) for machine in machines]
    bobs = [open_pair(machine, "/ws", stage, answer={"X-User": "bob"}) for machine in machines]
    assert alices[0].client.response.header("X-User") is None   # the client does not see it
    recipe.user_logged_out.send(sender=None, request=None, user=None)
    recipe.user_logged_out.send(sender=None, request=None, user=SimpleNamespace(get_username=lambda: "alice"))
    for pair in alices:
        assert pair.client.read_close() == pair.session.read_close() == (4401, "logged out")
        pair.close()
    wait_until(lambda: "may be open: give the order by hand" in caplog.text, "the machine that is down is given up")
    for machine in machines:
        machine.error_log.wait_for("WSP0196: status page: close tag=alice code=4401 .*: 1 tunnel; reason \"logged out\"")
    for pair in bobs:
        pair.say_goodbye()
