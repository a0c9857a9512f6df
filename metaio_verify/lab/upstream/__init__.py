"""The upstream: stands behind a gateway, records what arrives, and plays what it is asked for."""
