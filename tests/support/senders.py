"""Real programs that write logs, as children of a test: rsyslog, nginx, php-fpm, sshd. Each in a folder and on loopback
ports of its own; a program that is not installed fails the test. Each is ended when its block ends."""

import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.support.platforms import free_ports, until

_RSYSLOG = """
global(workDirectory="{folder}" localHostname="{host}" maxMessageSize="64k")
module(load="imuxsock" SysSock.Use="off")
input(type="imuxsock" Socket="{folder}/log.sock" RateLimit.Interval="0" UseSysTimeStamp="off")
module(load="imfile" mode="inotify")
{files}
action(type="omfwd" target="127.0.0.1" port="{port}" protocol="tcp" template="{template}" TCP_Framing="{framing}"
       action.resumeRetryCount="-1" queue.type="LinkedList")
"""
_FILE = 'input(type="imfile" File="{path}" Tag="{tag}:" Severity="info" Facility="auth")'
_NGINX = """
user root;
daemon off;
pid {folder}/nginx.pid;
error_log syslog:server=unix:{socket},nohostname,tag=nginx warn;
events {{ worker_connections 64; }}
http {{
    log_format combined_copy '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent '
                             '"$http_referer" "$http_user_agent"';
    access_log syslog:server=unix:{socket},nohostname,tag=nginx combined;
    access_log {folder}/access.log combined_copy;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    set_real_ip_from 127.0.0.1;
    real_ip_header X-Forwarded-For;
    server {{
        listen 127.0.0.1:{port};
        root {folder};
        location = / {{ return 200 "hello\\n"; }}
        location ~ \\.php$ {{
            fastcgi_pass unix:{folder}/fpm.sock;
            fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;
            fastcgi_param REQUEST_METHOD $request_method;
            fastcgi_param REMOTE_ADDR $remote_addr;
        }}
    }}
}}
"""
_FPM = """
[global]
daemonize = no
error_log = {folder}/fpm.log
[www]
user = root
group = root
listen = {folder}/fpm.sock
pm = static
pm.max_children = 1
catch_workers_output = yes
php_admin_value[error_log] = {folder}/php.log
php_admin_flag[log_errors] = on
"""
_SSHD = """
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/client_key.pub
PidFile {folder}/sshd.pid
UsePAM no
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
LogLevel VERBOSE
"""


def program(name: str) -> str:
    """Where a program is. It has to be there: these tests are about real programs."""
    found = shutil.which(name, path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    assert found, f"{name} is not installed"
    return found


@contextmanager
def _running(command: Sequence[str], log: Path, ready: Path | None = None) -> Iterator["subprocess.Popen[bytes]"]:
    with log.open("ab") as said:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
    try:
        if ready is not None:
            until(lambda: ready.exists() or process.poll() is not None, 20, command[0])
        assert process.poll() is None, log.read_text(errors="replace")
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


@contextmanager
def rsyslog(
    folder: Path, host: str, port: int, *, template: str, framing: str, files: dict[str, Path] | None = None
) -> Iterator[Path]:
    """rsyslog on the host of that name, forwarding to a node: the private socket programs log to. `files`: by tag."""
    folder.mkdir()
    watched = "\n".join(_FILE.format(path=path, tag=tag) for tag, path in (files or {}).items())
    text = _RSYSLOG.format(folder=folder, host=host, port=port, template=template, framing=framing, files=watched)
    (folder / "rsyslog.conf").write_text(text)
    command = [program("rsyslogd"), "-n", "-f", str(folder / "rsyslog.conf"), "-i", str(folder / "rsyslog.pid")]
    with _running(command, folder / "said", folder / "log.sock"):
        yield folder / "log.sock"


def logger(socket: Path, tag: str, message: str) -> None:
    """One line through the real `logger`."""
    subprocess.run(
        [program("logger"), "-u", str(socket), "--size", "32KiB", "-t", tag, "--", message], check=True, timeout=20
    )


@contextmanager
def nginx(folder: Path, socket: Path) -> Iterator[str]:
    """nginx, logging to a syslog socket and, for comparison, to `access.log`: its URL. Believes X-Forwarded-For."""
    [port] = free_ports(1)
    (folder / "nginx.conf").write_text(_NGINX.format(folder=folder, socket=socket, port=port))
    command = [program("nginx"), "-e", "stderr", "-p", str(folder), "-c", str(folder / "nginx.conf")]
    with _running(command, folder / "nginx.said", folder / "nginx.pid"):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def php_fpm(folder: Path) -> Iterator[None]:
    """php-fpm for that nginx; it logs to `fpm.log`, its scripts to `php.log`."""
    (folder / "fpm.conf").write_text(_FPM.format(folder=folder))
    command = [program("php-fpm8.2"), "-n", "-R", "-F", "-y", str(folder / "fpm.conf")]
    with _running(command, folder / "fpm.said", folder / "fpm.sock"):
        yield


@contextmanager
def sshd(folder: Path, log: Path) -> Iterator[int]:
    """OpenSSH's sshd, its own lines in a file: its port. `client_key` lets root in."""
    Path("/run/sshd").mkdir(exist_ok=True)
    [port] = free_ports(1)
    for key in ("host_key", "client_key"):
        command = [program("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(folder / key)]
        subprocess.run(command, check=True)
    (folder / "sshd_config").write_text(_SSHD.format(folder=folder, port=port))
    with _running([program("sshd"), "-D", "-e", "-f", str(folder / "sshd_config")], log):
        until(lambda: b"listening" in log.read_bytes(), 20, "sshd")
        yield port


def ssh_in(folder: Path, port: int, source: str, user: str) -> int:
    """Connect to that sshd from one loopback address: the exit status."""
    options = [f"UserKnownHostsFile={folder}/known", "StrictHostKeyChecking=no", "BatchMode=yes", "ConnectTimeout=20"]
    words = [word for option in options for word in ("-o", option)]
    command = [program("ssh"), "-F", "none", "-b", source, "-i", str(folder / "client_key"), "-p", str(port), *words]
    done = subprocess.run([*command, f"{user}@127.0.0.1", "true"], capture_output=True, timeout=30, check=False)
    time.sleep(0.1)
    return done.returncode
