"""Register documents (docs/register.md) that several tests rest on."""

TWO_CUSTOMERS = """
[customers.acme.projects.acme.environments.main]
hosting = "vendor/west"
hosts = ["web1.acme.example"]
[customers.globex.projects.globex.environments.main]
hosting = "vendor/east"
hosts = ["web1.globex.example"]
[people.ada]
name = "Ada"
keys = ["{key}"]
memberships = {{ acme = "member" }}
"""
"""Two customers on two hostings, and a person of the first, whose public key is `{key}`. For `str.format`."""
