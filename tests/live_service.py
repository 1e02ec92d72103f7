"""A service on a port of its own, and a client that holds its key."""

import runpy
import threading
from contextlib import contextmanager
from pathlib import Path

import httpx

from api.admin_key import ensure_key
from api.app import create_app
from api.security import LOOPBACK_HOSTS
from api.serving import Server, Wish, _bind, _config
from api.settings import Settings
from api.store import open_store

LANGUAGE = {"Accept-Language": "en"}


class Live:
    """A running service.

    `client` holds the admin key, `stranger` none; `app`, `store`, `folder` are those it serves.
    """

    def __init__(self, app, store, folder, address, key):
        self.app, self.store, self.folder, self.address, self.key = app, store, folder, address, key
        headers = {**LANGUAGE, "Authorization": f"Bearer {key}"}
        self.client = httpx.Client(base_url=address, headers=headers, timeout=60, trust_env=False)
        self.stranger = httpx.Client(
            base_url=address, headers=LANGUAGE, timeout=60, trust_env=False
        )

    def close(self):
        self.client.close()
        self.stranger.close()


@contextmanager
def running(store, folder, *, needs_key=True, **settings):
    """Serve `store` until the block ends; uploads and the key are in `folder`."""
    key = ensure_key(store, folder).read_text().strip() if needs_key else ""
    app = create_app(
        Settings(folder=str(folder), language="en", **settings),
        store,
        needs_key=needs_key,
        hosts=LOOPBACK_HOSTS,
    )
    listener = _bind(Wish(port=0))
    server = Server(_config(app), app.state.service.streams)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    live = Live(app, store, folder, f"http://127.0.0.1:{listener.getsockname()[1]}", key)
    try:
        yield live
    finally:
        live.close()
        app.state.service.streams.closing.set()
        server.should_exit = True
        thread.join()
        listener.close()


@contextmanager
def served_town(folder, layers, **settings):
    """Serve a store with a town in it; `live.filled` names what is there."""
    fill = runpy.run_path(str(Path(__file__).with_name("stored_town.py")))["fill"]
    with open_store(str(folder / "city.gpkg"), create=True) as store:
        filled = fill(store, layers)
        with running(store, folder, **settings) as live:
            live.filled = filled
            live.venue_ids = list(filled.ids["venues"].values())
            yield live
