"""What the gateway says of itself."""

HELP = """\
Logs, read with your own SSH key. The user name is the environment: acme/main is acme--main.

  ssh acme--main@HOST logs STREAM [options]    lines of app, system or web-access
      --since TIME     from then on: 15m, 1h, 2d ago; a day 2026-11-24; 2026-11-24T06:00Z    (24h unless told)
      --until TIME     up to then
      --last N         the newest N lines
      --follow         go on as lines come in
      --grep PATTERN   lines that match a regular expression (RE2)
      --status CODE    web-access: 404, or a class like 5xx
      --path PATH      web-access: a beginning like /api/, or with stars /api/*.json
      --json           every field, one JSON object for each line
      --line-numbers   each line's node and number before it, as `prove` takes them
      --clear          addresses instead of pseudonyms, for those entitled

  ssh acme--main@HOST streams [--json]         what you may read here, day by day
  ssh acme--main@HOST prove STREAM LINE        the proof of one line, to be checked offline: prove app n1:4711
  ssh acme--main@HOST help                     this

  sftp acme--main@HOST                         the same as files: /STREAM/DAY.log, /clear/STREAM/DAY.log

There is no shell. Days and times are UTC, and those of arrival.
"""
