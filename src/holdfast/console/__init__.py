"""The console: web pages. For now one, which says how this machine's processes and logs stand.

It holds no data key and no database; its socket at the keeper answers counts and health and nothing else. `serving`
runs it; `views` is all there is to see. These modules load Django, so they are imported where they are used, not here.
"""
