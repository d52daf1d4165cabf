"""Settings in, live objects out: the only place that knows everyone.

* `configuration` and `reading`: `holdfast.toml` and `HOLDFAST_...` variables → `Settings`; a wrong one names itself.
* `home`, `permissions`, `initialising`: what lies where in a home, who may touch it, how one is made.
* `processes`: how every process starts, says that it is ready, and ends; `keeper`, `node`, `gateway`, `console` are
  what each is made of.
* `children`, `supervising`, `eventlines`: `holdfast up`.

Other floors give a process one entry, `serve(parts, ready, stop)`: `parts` is a frozen dataclass of live objects that
is made here, `ready()` is called once when it serves, and it returns soon after the `asyncio.Event` `stop` is set.
"""
