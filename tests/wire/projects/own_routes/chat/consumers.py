from channels.generic.websocket import AsyncJsonWebsocketConsumer


class ChatConsumer(AsyncJsonWebsocketConsumer):
    """Greets the user that the project's own middleware has found."""

    async def connect(self):
        await self.accept()
        await self.send_json({"chat": str(self.scope["user"])})
