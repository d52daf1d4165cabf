"""Which address is which page."""

from django.urls import path

from holdfast.console import views

urlpatterns = [
    path("", views.health_page),
    path("health", views.health),
    path("style.css", views.style),
]
