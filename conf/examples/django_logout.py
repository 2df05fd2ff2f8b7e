"""Ends a user's WebSockets when she logs out of Django, on every machine that runs httpd.

settings.py says where their status pages are, and what the orders need to get in:

    WEBSOCKET_STATUS_URLS = ["http://10.0.0.11/websocket-status", "http://10.0.0.12/websocket-status"]

Import this module in the ready() of an application's AppConfig. docs/operations.md says what httpd needs.
"""

import concurrent.futures
import logging
import time
import urllib.parse
import urllib.request

from django.conf import settings
from django.contrib.auth.signals import user_logged_out
from django.dispatch import receiver

_log = logging.getLogger(__name__)
# The order goes out beside the request: a machine that does not answer must not hold up a logout.
_pool = concurrent.futures.ThreadPoolExecutor(max_workers=8, thread_name_prefix="websocket-logout")
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))   # these machines are ours: no forward proxy
_TIMES = 2        # Django sends the signal before it ends the session, and a tunnel may open in between
_ATTEMPTS = 6
_PAUSE = 2        # seconds
_TIMEOUT = 3      # seconds; httpd asks its processes for one at most


def _order(url, form):
    with _opener.open(url, form, timeout=_TIMEOUT) as answer:
        return answer.read().decode().strip()


def _close(url, tag):
    """Twice is as good as once, so whatever fails is tried again."""
    form = urllib.parse.urlencode({"action": "close", "tag": tag, "code": 4401, "reason": "logged out"}).encode()
    done = 0
    for attempt in range(_ATTEMPTS):
        try:
            _log.info("tunnels of %s on %s: %s", tag, url, _order(url, form))
            done += 1
        except OSError as error:   # also an answer that is no success, and a timeout
            _log.warning("tunnels of %s on %s: %s (attempt %d of %d)", tag, url, error, attempt + 1, _ATTEMPTS)
        if done == _TIMES:
            return
        time.sleep(_PAUSE)
    _log.error("tunnels of %s on %s may be open: give the order by hand", tag, url)


@receiver(user_logged_out, dispatch_uid="close-websockets")
def close_tunnels(user=None, **_):
    if user is not None:   # nobody was logged in
        for url in settings.WEBSOCKET_STATUS_URLS:
            _pool.submit(_close, url, user.get_username())
