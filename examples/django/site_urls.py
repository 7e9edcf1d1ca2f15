"""Pages for login and logout; the users are Django's own."""

from django.contrib.auth import authenticate, login, logout
from django.http import HttpResponse
from django.urls import path


def log_in(request):
    user = authenticate(request, username=request.POST["username"], password=request.POST["password"])
    if user is None:
        return HttpResponse("who?", status=403)
    login(request, user)
    return HttpResponse("welcome")


def log_out(request):
    logout(request)
    return HttpResponse("bye")


def home(request):
    return HttpResponse(f"hello {request.user.get_username() or 'stranger'}")


urlpatterns = [path("login", log_in), path("logout", log_out), path("", home)]
