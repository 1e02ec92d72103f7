"""The durable core: tables, one writer, and who may see which part of the city."""

from api.store.ids import new_id, new_ids
from api.store.opening import open_store
from api.store.scope import EVERYWHERE, Scope
from api.store.store import Store

__all__ = ["EVERYWHERE", "Scope", "Store", "new_id", "new_ids", "open_store"]
