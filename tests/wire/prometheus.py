"""What Prometheus would store of a page of metrics."""

from prometheus_client.parser import text_string_to_metric_families


def counted_in(page: str) -> dict[tuple, float]:
    """Return the values of a page by name and labels."""
    return {
        (each.name, *each.labels.values()): each.value
        for family in text_string_to_metric_families(page)
        for each in family.samples
    }
