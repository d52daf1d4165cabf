"""Holdfast keeps a hosting platform's logs in provable custody."""
