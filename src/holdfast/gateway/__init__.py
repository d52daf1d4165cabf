"""The gateway: logs read over SSH, with the plain `ssh`, `sftp`, `scp` and `sshfs` of OpenSSH (docs/reading.md).

`serving.serve` is its one entry. What happens to a connection, in order:

1. `admission`: is there room? No: closed at once.
2. `authenticating`: a public key, and the keeper's leave to connect as this login. One `Door` for each connection.
3. `channels`: each channel is a command (`commands`: `logs`, `streams`, prove, help), SFTP or scp (`sftp` over `files`
   over `tree`).
4. `opening`: each reading asks the keeper, which answers with keys or not at all, and again before a lease ends.
5. `recording`: when it ends, one record goes to the environment's `ssh-access`, whatever happened.

It holds nothing lasting: no key but its host key, no state, no log of what was typed or shown.
"""
