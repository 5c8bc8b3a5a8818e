# SPDX-License-Identifier: Apache-2.0
"""DuckDB through the C interface of the library that MAIA itself is built with."""
import ctypes
import os
from pathlib import Path


class _Result(ctypes.Structure):  # duckdb_result
    _fields_ = [("columns", ctypes.c_uint64), ("rows", ctypes.c_uint64), ("changed", ctypes.c_uint64),
                ("column", ctypes.c_void_p), ("error", ctypes.c_char_p), ("internal", ctypes.c_void_p)]


class DuckDb:
    """An open database file; nobody else may have it open."""

    def __init__(self, path):
        place = Path(os.environ["MAIA_DEPS"]) / "duckdb" / "libduckdb.so"
        self.library = ctypes.CDLL(str(place))
        self.library.duckdb_value_varchar.restype = ctypes.c_void_p
        self.library.duckdb_value_varchar.argtypes = [ctypes.c_void_p, ctypes.c_uint64, ctypes.c_uint64]
        self.library.duckdb_free.argtypes = [ctypes.c_void_p]
        self.library.duckdb_result_error.restype = ctypes.c_char_p
        self.library.duckdb_row_count.restype = ctypes.c_uint64
        self.database, self.connection = ctypes.c_void_p(), ctypes.c_void_p()
        if self.library.duckdb_open(str(path).encode(), ctypes.byref(self.database)) != 0:
            raise RuntimeError(f"DuckDB does not open {path}")
        self.library.duckdb_connect(self.database, ctypes.byref(self.connection))

    def value(self, sql):
        """The first value of the answer, as text; nothing if it has no rows."""
        result = _Result()
        try:
            if self.library.duckdb_query(self.connection, sql.encode(), ctypes.byref(result)) != 0:
                raise RuntimeError(f"{self.library.duckdb_result_error(ctypes.byref(result)).decode()} in: {sql[:400]}")
            if self.library.duckdb_row_count(ctypes.byref(result)) == 0:
                return None
            pointer = self.library.duckdb_value_varchar(ctypes.byref(result), 0, 0)
            text = ctypes.string_at(pointer).decode() if pointer else None
            self.library.duckdb_free(pointer)
            return text
        finally:
            self.library.duckdb_destroy_result(ctypes.byref(result))

    def close(self):
        self.library.duckdb_disconnect(ctypes.byref(self.connection))
        self.library.duckdb_close(ctypes.byref(self.database))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
