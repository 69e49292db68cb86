from django.urls import path

from .consumers import ChatConsumer

chat_urlpatterns = [path("ws/chat/", ChatConsumer.as_asgi())]
news_urlpatterns = [path("ws/news/", ChatConsumer.as_asgi())]
