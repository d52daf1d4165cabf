"""The sample platform of `holdfast up --demo`: two customers on two hostings, real logs, people with keys.

Knows nothing of settings or homes: `platform.Platform` is what it is told (the floor's neighbour `wiring` knows them).
"""
