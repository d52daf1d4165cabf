"""The keeper: the only process that holds the master key and opens the database; it decides and hands out keys.

For wiring, after `django.setup()` with `holdfast.wiring.settings`:

    paths.KeeperPaths.under(home)        where the keeper's things lie; `paths.POLICIES` is the folder of its policies
    initialising.initialise(paths, installation, clock=, randomness=)
                                         makes what is missing; the recorder's token, for keys/recorder.token
    await serving.serve(paths, installation, clock=, randomness=, log=TileLog, policies=CedarPolicies(POLICIES),
                        ready=callable, stop=asyncio.Event)

These modules load Django's models, so they are imported where they are used and not here.
"""
