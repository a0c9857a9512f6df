"""A reference endpoint that is asked the same: where its answers have another shape."""
