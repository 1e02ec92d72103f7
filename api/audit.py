"""The audit as the rest of the house sees it: record what was done, verify what was recorded.

The chain itself is kept by `api.store.chain`, in the transaction of the change it tells about.
"""

from api.store.chain import Broken, Details, Head, head, hold, record, verify

__all__ = ["Broken", "Details", "Head", "head", "hold", "record", "verify"]
