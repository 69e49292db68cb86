from asgiref.sync import async_to_sync
from django.db.models.signals import post_save
from django.dispatch import receiver

from .consumers import broadcast_org_event
from .models import SampleResource


@receiver(post_save, sender=SampleResource)
def resource_created_handler(sender, instance, created, **kwargs):
    """Tell the organisation, once the transaction that created the resource has committed."""
    if created:
        async_to_sync(broadcast_org_event)(
            org_id=str(instance.org_id),
            event_type="resource.created",
            data={
                "resource_id": str(instance.id),
                "resource_name": instance.name,
                "created_at": instance.created_at.isoformat(),
            },
        )
