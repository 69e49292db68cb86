from asgiref.sync import async_to_sync
from celery import shared_task
from django.utils import timezone

from .consumers import broadcast_notification, broadcast_org_event


@shared_task
def process_document(user_id: str, org_id: str, document_id: str) -> None:
    """Process a document, then tell the user who asked and the organization it belongs to."""
    # Your work stands here.
    now = timezone.now().isoformat()
    async_to_sync(broadcast_notification)(
        user_id,
        {
            "title": "Document Processed",
            "body": f"Document {document_id} has been processed successfully",
            "timestamp": now,
        },
    )
    async_to_sync(broadcast_org_event)(
        org_id,
        "document.processed",
        {"document_id": document_id, "processed_by": user_id, "timestamp": now},
    )
