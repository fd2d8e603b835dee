"""Publishing finished artifacts to the hub: what would go, the scan, and the upload."""
