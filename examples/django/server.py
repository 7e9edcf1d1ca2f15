"""Django's pages, by the standard library's server, with one user to log in as."""

import os
import wsgiref.simple_server

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")

import django
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application

django.setup()
call_command("migrate", verbosity=0)

from django.contrib.auth import get_user_model  # needs the set-up

if not get_user_model().objects.exists():
    get_user_model().objects.create_user("ada", password=os.environ["PASSWORD"])

server = wsgiref.simple_server.make_server("127.0.0.1", int(os.environ.get("PORT", 3000)), get_wsgi_application())
print(f"listening on 127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
