"""Every page says what mod_wsgi handed to Django."""

from django.http import HttpResponse, JsonResponse
from django.urls import re_path


def tell(request):
    return JsonResponse({"method": request.method, "script": request.META["SCRIPT_NAME"], "path": request.path_info,
                         "query": request.META["QUERY_STRING"], "body": request.body.decode()})


def missing(request):
    return HttpResponse("no such page", status=404)


urlpatterns = [re_path("^missing$", missing), re_path("^", tell)]
