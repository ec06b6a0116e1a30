"""Bridges between Tornado and other event loops."""
