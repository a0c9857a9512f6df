"""Gateways: a conforming one that passes on, a conforming one that translates, and their faults."""
