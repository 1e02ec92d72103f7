"""Keys, repeated requests and the audit."""

from typing import Final

from sqlalchemy import Column, Integer, LargeBinary, Text

from api.store.column import Instant, Json
from api.store.tables.meta import table, unique

API_KEYS: Final = table(
    "api_keys",
    Column("key_id", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("unit_code", Text, nullable=False, server_default=""),
    Column("created_at", Instant, nullable=False),
    Column("revoked_at", Instant),
    unique("key_id"),
    unique("sha256"),
)
"""Keys are 256 random bits; only their hash is kept. A role label, never a person."""

IDEMPOTENCY: Final = table(
    "idempotency",
    Column("key", Text, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("route", Text, nullable=False),
    Column("body_hash", Text, nullable=False),
    Column("status", Integer, nullable=False),
    Column("headers", Json, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("created_at", Instant, nullable=False),
    unique("key_id", "key"),
)
"""Answers given to requests with an Idempotency-Key, stored with the write they belong to."""

AUDIT: Final = table(
    "audit",
    Column("at", Instant, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("details", Json, nullable=False),
    Column("previous_hash", Text, nullable=False),
    Column("hash", Text, nullable=False),
    unique("hash"),
)
"""Append-only: every row carries the hash of the one before it."""
