"""What WSGIScriptAlias names."""

import os
import sys

sys.path.insert(0, os.path.dirname(__file__))
os.environ["DJANGO_SETTINGS_MODULE"] = "site_settings"

from django.core.wsgi import get_wsgi_application   # noqa: E402  (needs the lines above)

application = get_wsgi_application()
