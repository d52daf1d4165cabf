#!/usr/bin/env python3
"""Deterministic, seeded generator of the Holdfast benchmark corpus.

  gen.py --out DIR [--scale 1.0] [--seed 20261123] [--procs 2]

Outputs (scale 1.0: 5,000,000 web lines + 2,000,000 syslog lines, merged in time order):
  all.rfc5424    the transport stream: every line as RFC 5424, LF-framed. web lines are
                 `<190>1 TS tNNN.example.net nginx - - - <combined line>`
  web.log        nginx combined lines only (no tenant), same order
  sys.log        the 2M native RFC 5424 lines only
  manifest.json  counts, expected answers of the benchmark queries, sha256

Web lines are resampled from elastic/examples apache_logs (10k real combined lines), system lines from the syslog samples
of lnav and crowdsec-hub (all in ../data); sshd, php-fpm, app, cron, systemd and kernel lines from templates.
IPs, timestamps, pids, ports, users, tenants, part of the path components, sizes and query strings are varied.
Same (seed, scale) -> same bytes, whatever --procs is (work is cut into fixed slices).
"""
import argparse, bisect, glob, hashlib, json, multiprocessing as mp, os, random, re, time

DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "src", "holdfast", "demo", "data")

NT = 200
SLICES = 100
T0 = 1795132800            # 2026-11-20T00:00:00Z
SPAN = 48 * 3600           # 48 h
NEEDLE_REQ = "7f3d9c1e8b2a4d60"     # 3 web lines
NEEDLE_IP = "203.0.113.77"          # 5 web lines
WIN = (T0 + 20 * 3600, T0 + 26 * 3600)   # status-count window: 6 h, crosses midnight
TENANT = "t042.example.net"         # last-1000 tenant
SUBSTR = "REAK-IN ATT"              # mid-token substring, full scan
MON = ["Jan","Feb","Mar","Apr","May","Jun","Jul","Aug","Sep","Oct","Nov","Dec"]
WORDS = """about account admin alpha api archive article assets audio author basket beta blog book brand browse
cart category center chart checkout city client cloud code comment community contact content course css customer
dashboard data demo design detail dev docs download edit email engine event export faq feed file finance folder
font forum gallery game garden global group guide health help history home hotel icon image images import index
info invoice item job js kitchen label lang library license link list live login logo mail main manual map market
media member menu message mobile module music network news note offer office online order page paper partner
password payment photo plan player plugin policy portal post press price print privacy product profile project
public query rate report research review room rss sale search section secure select service session settings shop
signup site sitemap skin social source sport stage start static stats status stock store story stream style
subject support survey tag team template term test theme thread ticket token tool topic tour track travel
trend type update upload user vendor video view wallet web widget wiki work zone""".split()
USERS = """root admin test oracle ubuntu git postgres deploy nagios ftpuser guest user webmaster mysql pi www-data
backup jenkins hadoop tomcat support minecraft ts3 steam dev alice bob carol dave erin frank grace heidi""".split()
IPRE = re.compile(r"\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b")
COMB = re.compile(r'^(\S+) \S+ \S+ \[[^\]]+\] "(\S+) (.*?)( HTTP/[\d.]+)?" (\d{3}) (\S+) "(.*?)" "(.*)"$')

def zipf_cum(n, s):
    acc, out = 0.0, []
    for i in range(1, n + 1):
        acc += 1.0 / i ** s
        out.append(acc)
    return out

class Seeds: pass
GS = None      # set before the pool forks

# (weight, message) in the words of OpenSSH and pam_unix; addresses, ports and users are varied for each line
SSHD = [
    (30, "Failed password for invalid user admin from 192.0.2.1 port 22 ssh2"),
    (25, "Failed password for root from 192.0.2.1 port 22 ssh2"),
    (20, "Invalid user admin from 192.0.2.1 port 22"),
    (20, "Connection closed by 192.0.2.1 port 22 [preauth]"),
    (15, "Received disconnect from 192.0.2.1 port 22:11: Bye Bye [preauth]"),
    (15, "Disconnected from invalid user admin 192.0.2.1 port 22 [preauth]"),
    (12, "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.1  user=root"),
    (12, "pam_unix(sshd:auth): check pass; user unknown"),
    (10, "Accepted publickey for deploy from 192.0.2.1 port 22 ssh2: ED25519 SHA256:kR1P2oG5mQdXqk0Jm3rQyD4bU0b1vQ8g7XnQm1d5c9E"),
    (9, "reverse mapping checking getaddrinfo for ns.example.com [192.0.2.1] failed - POSSIBLE BREAK-IN ATTEMPT!"),
    (8, "pam_unix(sshd:session): session opened for user deploy(uid=1001) by (uid=0)"),
    (8, "pam_unix(sshd:session): session closed for user deploy"),
    (6, "Unable to negotiate with 192.0.2.1 port 22: no matching host key type found. Their offer: ssh-rsa,ssh-dss [preauth]"),
    (4, "error: maximum authentication attempts exceeded for root from 192.0.2.1 port 22 ssh2 [preauth]"),
    (4, "error: kex_exchange_identification: Connection closed by remote host"),
    (3, "banner exchange: Connection from 192.0.2.1 port 22: invalid format"),
    (3, "Accepted publickey for deploy from 192.0.2.1 port 22 ssh2: ED25519-CERT SHA256:9Qm1d5c9EkR1P2oG5mQdXqk0Jm3rQyD4bU0b1vQ8g7X ID deploy@example (serial 7) CA ED25519 SHA256:vQ8g7XnQm1d5c9EkR1P2oG5mQdXqk0Jm3rQyD4bU0b1"),
    (2, "fatal: Timeout before authentication for 192.0.2.1 port 22"),
]
HTTPD = [
    "[client 192.0.2.1] File does not exist: /var/www/html/favicon.ico",
    "[client 192.0.2.1] Directory index forbidden by rule: /var/www/html/",
    "[client 192.0.2.1] AH01630: client denied by server configuration: /var/www/html/.git/config",
    "[client 192.0.2.1] script '/var/www/html/xmlrpc.php' not found or unable to stat",
    "mod_jk child workerEnv in error state 6",
    "jk2_init() Found child 6725 in scoreboard slot 10",
    "AH00163: Apache/2.4.62 configured -- resuming normal operations",
]

def load(seed):
    S = Seeds()
    visits = {}
    for l in open(os.path.join(DATA, "elastic-examples", "Common Data Formats", "apache_logs", "apache_logs"), encoding="utf-8", errors="replace"):
        m = COMB.match(l.rstrip("\n"))
        if not m: continue
        ip, meth, path, _, st, by, ref, ua = m.groups()
        visits.setdefault(ip, []).append((meth, path, st, by, ref, ua))
    S.visits = []
    for v in visits.values():            # cut long visits so that no crawler dominates
        for i in range(0, len(v), 24): S.visits.append(v[i:i + 24])
    r = random.Random(seed)
    uas = sorted({x[5] for v in visits.values() for x in v})
    S.uas = {}
    for u in uas:                        # 12 version variants of each real UA
        vs = [u]
        for _ in range(11):
            vs.append(re.sub(r"(Chrome|Firefox|Version|rv:|Safari|Opera|MSIE)([/ ]?)(\d+)((?:\.\d+)*)",
                lambda m: m.group(1) + m.group(2) + str(int(m.group(3)[:3]) + r.randrange(0, 12)) +
                "".join("." + str(r.randrange(0, 10 ** min(4, len(p)))) for p in m.group(4).split(".")[1:]), u))
        S.uas[u] = vs
    S.ips = [f"{r.choice([5,23,31,37,46,62,66,77,80,83,87,91,93,95,101,109,121,138,151,162,173,178,185,188,193,195,203,212,217])}"
             f".{r.randrange(256)}.{r.randrange(256)}.{r.randrange(1,255)}" for _ in range(250000)]
    S.ips = [x for x in S.ips if x != NEEDLE_IP]
    S.ipcum = zipf_cum(len(S.ips), 0.75)
    S.tcum = zipf_cum(NT, 0.8)
    S.tmap = list(range(NT)); r.shuffle(S.tmap)
    S.ssh = [m for weight, m in SSHD for _ in range(weight)]
    S.apa = HTTPD
    rx = re.compile(r"^[A-Z][a-z]{2} +\d+ [\d:]+ \S+ ([A-Za-z/_-]+)(?:\[\d+\])?: (.+)$")
    S.lin = []
    for fn in sorted(glob.glob(f"{DATA}/crowdsec-hub/tests/**/*.log", recursive=True) + glob.glob(f"{DATA}/lnav/test/logfile_syslog*")):
        for l in open(fn, encoding="utf-8", errors="replace"):
            m = rx.match(l.rstrip("\r\n"))
            if m and m[1] != "sshd" and "\x00" not in l: S.lin.append(m.groups())
    return S

_pc = {}
def tpath(t, path):
    """tenant's version of a path: half of the alphabetic components renamed, stable per tenant."""
    k = (t, path)
    p = _pc.get(k)
    if p is None:
        p0, q, qs = path.partition("?")
        out = []
        for c in p0.split("/"):
            h = int.from_bytes(hashlib.blake2b(f"{t}/{c}".encode(), digest_size=8).digest(), "big")
            if c and c.isascii() and h & 1 and not re.search(r"\.(png|jpg|gif|ico|css|js|txt|xml)$", c):
                c = WORDS[(h >> 1) % len(WORDS)] + ("-" + WORDS[(h >> 20) % len(WORDS)] if h & 2 else "") + (str((h >> 40) % 3000) if h & 4 else "")
            out.append(c)
        p = "/".join(out) + q + qs
        if len(_pc) < 600000: _pc[k] = p
    return p

def slice_gen(job):
    seed, si, nweb, nsys, out = job
    S = GS
    r = random.Random(f"{seed}/{si}")
    rnd, rr, grb = r.random, r.randrange, r.getrandbits
    n = nweb + nsys
    t_lo, dt = T0 + SPAN * si / SLICES, SPAN / SLICES / n
    kinds = bytearray(b"\x01" * nweb + b"\x00" * nsys); r.shuffle(kinds)
    needles = {}
    if si in (11, 47, 83): needles[nweb // 3] = "req"
    if si in (5, 23, 42, 61, 97): needles[nweb // 2] = "ip"
    hosts = [f"t{i:03d}.example.net" for i in range(NT)]
    tc, tm, ic, ips = S.tcum, S.tmap, S.ipcum, S.ips
    tn, icn = tc[-1], ic[-1]
    bis = bisect.bisect_left
    def new_sess():
        v = S.visits[rr(len(S.visits))]
        t = tm[bis(tc, rnd() * tn)]
        return [ips[bis(ic, rnd() * icn)], t, v, 0, f"{grb(52):013x}", rr(12)]
    sess = [new_sess() for _ in range(300)]
    fa, fw, fs = (open(f"{out}/part-{si:03d}.{x}", "w", encoding="utf-8", newline="\n") for x in ("all", "web", "sys"))
    wa, ww, ws = fa.write, fw.write, fs.write
    st_count, tcount, sub, byapp = {}, 0, 0, {}
    psec, d_web, d_iso = -1, "", ""
    wi = 0
    pids = [rr(1000, 65000) for _ in range(NT)]
    for i in range(n):
        ts = t_lo + i * dt + rnd() * dt
        sec = int(ts)
        if sec != psec:
            psec = sec; g = time.gmtime(sec)
            d_web = f"[{g.tm_mday:02d}/{MON[g.tm_mon-1]}/{g.tm_year}:{g.tm_hour:02d}:{g.tm_min:02d}:{g.tm_sec:02d} +0000]"
            d_iso = f"{g.tm_year}-{g.tm_mon:02d}-{g.tm_mday:02d}T{g.tm_hour:02d}:{g.tm_min:02d}:{g.tm_sec:02d}."
        iso = f"{d_iso}{int((ts-sec)*1e6):06d}Z"
        if kinds[i]:
            j = rr(300); s = sess[j]
            if s[3] >= len(s[2]): s = sess[j] = new_sess()
            meth, path, st, by, ref, ua = s[2][s[3]]; s[3] += 1
            t = s[1]; host = hosts[t]
            p = tpath(t, path)
            x = rnd()
            if "?" not in p:
                if x < 0.06: p = f"{p}?sid={s[4]}"
                elif x < 0.10: p = f"{p}?req_id={grb(64):016x}"
                elif x < 0.16: p = f"{p}?page={rr(1,60)}&sort={'name' if x<.13 else 'date'}"
                elif x < 0.20: p = f"{p}?v={3+t%5}.{t%10}.{t%7}"
            if x > 0.995: st = "502" if x > 0.9975 else "500"
            if by != "-" and st == "200":
                b = int(by)
                if re_dyn(path): b = b + rr(-b // 8 - 1, b // 8 + 2) + 20      # dynamic page: size varies
                else: b = b + (t * 7919 + len(p) * 131) % 997                  # static: fixed per tenant
                by = str(max(b, 0))
            elif by == "-": by = "0"
            if ref != "-":
                if "semicomplete" in ref:
                    k = ref.find("/", 8); ref = f"https://{host}{tpath(t, ref[k:]) if k > 0 else '/'}"
                elif x < 0.3: ref = f"{ref}&ei={grb(60):015x}" if "?" in ref else ref
            uav = S.uas[ua]; ua = uav[s[5]]
            ip = s[0]
            k = needles.get(wi)
            if k == "req": p = f"{p.partition('?')[0]}?req_id={NEEDLE_REQ}"
            elif k == "ip": ip = NEEDLE_IP
            wi += 1
            line = f'{ip} - - {d_web} "{meth} {p} HTTP/1.1" {st} {by} "{ref}" "{ua}"\n'
            ww(line)
            l2 = f"<190>1 {iso} {host} nginx - - - {line}"
            wa(l2)
            if WIN[0] <= sec < WIN[1]: st_count[st] = st_count.get(st, 0) + 1
            app = "nginx"
        else:
            x = rnd(); t = tm[bis(tc, rnd() * tn)]; host = hosts[t]
            if x < 0.45: app, l2 = app_line(r, S, t, host, iso, pids)
            elif x < 0.80: app, l2 = ssh_line(r, S, t, host, iso)
            else: app, l2 = sys_line(r, S, t, host, iso, pids)
            ws(l2); wa(l2)
        byapp[app] = byapp.get(app, 0) + 1
        if host == TENANT: tcount += 1
        if SUBSTR in l2: sub += 1
    for f in (fa, fw, fs): f.close()
    return si, st_count, tcount, sub, byapp

_dyn = {}
def re_dyn(p):
    v = _dyn.get(p)
    if v is None: v = _dyn[p] = not re.search(r"\.(png|jpe?g|gif|ico|css|js|txt|woff|pdf)(\?|$)", p)
    return v

FN = ["checkout","render","get_posts","load_plugin","cache_get","db_query","send_mail","wp_cron","auth_user","import_feed"]
def app_line(r, S, t, host, iso, pids):
    rnd, rr = r.random, r.randrange
    x = rnd(); pid = pids[t] + rr(8)
    w = WORDS[(t * 31 + rr(12)) % len(WORDS)]
    if x < 0.30:
        k = rr(5)
        what = (f'PHP Warning:  Undefined array key "{w}"', f"PHP Notice:  Undefined variable: {w}",
                f"PHP Deprecated:  Function {w}_init() is deprecated",
                "PHP Fatal error:  Allowed memory size of 268435456 bytes exhausted (tried to allocate %d bytes)" % (rr(1, 4000) * 4096),
                f"PHP Warning:  mysqli_query(): (HY000/2006): MySQL server has gone away")[k]
        return "php-fpm", (f"<131>1 {iso} {host} php-fpm {pid} - - {what} in /var/www/{host}/htdocs/wp-content/plugins/{w}/"
            f"{WORDS[(t * 17 + rr(9)) % len(WORDS)]}.php on line {rr(10, 900)}\n")
    if x < 0.42:
        return "php-fpm", f"<134>1 {iso} {host} php-fpm {pid} - - [pool {host}] child {pid + rr(40)} exited with code 0 after {rr(1, 9000)}.{rr(10**6):06d} seconds from start\n"
    if x < 0.80:
        f = FN[rr(10)]; ms = int(r.lognormvariate(3.4, 1.1))
        lvl = "INFO" if rnd() < 0.9 else ("WARN" if rnd() < 0.7 else "ERROR")
        return "app", (f'<{ {"INFO":134,"WARN":132,"ERROR":131}[lvl] }>1 {iso} {host} app {pid} {f.upper()} [req@32473 id="{r.getrandbits(64):016x}" user="{rr(1, 4000)}"] '
            f'{lvl} {f} took={ms}ms rows={rr(0, 200)} cache={"hit" if rnd() < .7 else "miss"} route=/{w}/{WORDS[rr(40)]} status={200 if rnd() < .95 else 500}\n')
    if x < 0.94:
        return "app", (f'<134>1 {iso} {host} app {pid} - - {{"level":"info","ts":"{iso}","caller":"{w}/handler.go:{rr(20, 300)}","msg":"request finished",'
            f'"trace_id":"{r.getrandbits(128):032x}","method":"GET","path":"/api/v1/{w}/{rr(1, 90000)}","code":{200 if rnd() < .96 else 404},"dur_us":{int(r.lognormvariate(8, 1))}}}\n')
    m = S.apa[rr(len(S.apa))]
    return "httpd", f"<131>1 {iso} {host} httpd {pid} - - {re.sub(r'[0-9]{2,}', lambda _: str(rr(10, 9999)), IPRE.sub(lambda _: S.ips[rr(40000)], m))}\n"

def ssh_line(r, S, t, host, iso):
    rr = r.randrange
    m = S.ssh[rr(len(S.ssh))]
    ip = S.ips[rr(6000)]
    m = IPRE.sub(ip, m)
    m = re.sub(r"port \d+", lambda _: f"port {rr(1024, 65535)}", m)
    u = USERS[rr(len(USERS))]
    m = re.sub(r"((?:invalid |Invalid )user |user=|for (?!invalid))(?!ns\.)([a-z][\w-]*)", lambda k: k.group(1) + u, m)
    return "sshd", f"<86>1 {iso} {host} sshd {rr(2000, 32000)} - - {m}\n"

def sys_line(r, S, t, host, iso, pids):
    rr = r.randrange
    x = r.random()
    if x < 0.45:
        a, m = S.lin[rr(len(S.lin))]
        m = IPRE.sub(lambda _: S.ips[rr(20000)], m)
        m = re.sub(r"\d{3,}", lambda k: str(rr(10 ** (len(k.group()) - 1), 10 ** len(k.group()))), m)
        return "linux", f"<30>1 {iso} {host} {a} {pids[t] + rr(200)} - - {m}\n"
    if x < 0.75:
        u = USERS[rr(len(USERS))]
        return "cron", f"<78>1 {iso} {host} CRON {rr(2000, 65000)} - - ({u}) CMD (   cd / && run-parts --report /etc/cron.{('hourly','daily','weekly')[rr(3)]})\n"
    if x < 0.95:
        n = rr(1, 99999)
        return "systemd", f"<30>1 {iso} {host} systemd 1 - - {('Started','Stopped','Starting','Reached target')[rr(4)]} Session {n} of User {USERS[rr(len(USERS))]}.\n"
    return "kernel", f"<4>1 {iso} {host} kernel - - - [{rr(10**6)}.{rr(10**6):06d}] [UFW BLOCK] IN=eth0 OUT= MAC=52:54:00:{rr(256):02x}:{rr(256):02x}:{rr(256):02x} SRC={S.ips[rr(100000)]} DST=10.0.{t}.1 LEN={rr(40, 1500)} TOS=0x00 PREC=0x00 TTL={rr(32, 250)} ID={rr(65536)} PROTO=TCP SPT={rr(1024, 65535)} DPT={(22, 23, 80, 445, 3389)[rr(5)]} WINDOW={rr(65536)} RES=0x00 SYN URGP=0\n"

def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--scale", type=float, default=1.0); ap.add_argument("--seed", type=int, default=20261123)
    ap.add_argument("--out", required=True); ap.add_argument("--procs", type=int, default=2)
    a = ap.parse_args()
    global GS
    S = GS = load(a.seed)
    nweb, nsys = int(5_000_000 * a.scale) // SLICES, int(2_000_000 * a.scale) // SLICES
    os.makedirs(a.out, exist_ok=True)
    jobs = [(a.seed, i, nweb, nsys, a.out) for i in range(SLICES)]
    stc, tc, sub, apps = {}, 0, 0, {}
    with mp.get_context('fork').Pool(a.procs) as p:
        for si, st, t, s, b in p.imap(slice_gen, jobs):
            for k, v in st.items(): stc[k] = stc.get(k, 0) + v
            for k, v in b.items(): apps[k] = apps.get(k, 0) + v
            tc += t; sub += s
    man = {"seed": a.seed, "scale": a.scale, "web_lines": nweb * SLICES, "sys_lines": nsys * SLICES, "apps": apps,
           "needle_req": NEEDLE_REQ, "needle_ip": NEEDLE_IP, "window": WIN, "status_in_window": stc,
           "tenant": TENANT, "tenant_lines": tc, "substr": SUBSTR, "substr_lines": sub, "files": {}}
    for x, name in (("all", "all.rfc5424"), ("web", "web.log"), ("sys", "sys.log")):
        h = hashlib.sha256(); n = 0
        with open(f"{a.out}/{name}", "wb") as f:
            for i in range(SLICES):
                fn = f"{a.out}/part-{i:03d}.{x}"
                d = open(fn, "rb").read(); f.write(d); h.update(d); n += len(d); os.unlink(fn)
        man["files"][name] = {"bytes": n, "sha256": h.hexdigest()}
    json.dump(man, open(f"{a.out}/manifest.json", "w"), indent=1)
    print(json.dumps(man, indent=1))

if __name__ == "__main__":
    main()
