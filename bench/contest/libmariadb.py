# SPDX-License-Identifier: Apache-2.0
"""A session with MariaDB through the system's libmariadb, as libpq.py has for PostgreSQL."""
import ctypes

_lib = ctypes.CDLL("libmariadb.so.3")
_row = ctypes.POINTER(ctypes.c_char_p)
for _name, _result, _arguments in (
        ("mysql_init", ctypes.c_void_p, [ctypes.c_void_p]),
        ("mysql_real_connect", ctypes.c_void_p, [ctypes.c_void_p, *[ctypes.c_char_p] * 4, ctypes.c_uint, ctypes.c_char_p, ctypes.c_ulong]),
        ("mysql_error", ctypes.c_char_p, [ctypes.c_void_p]),
        ("mysql_query", ctypes.c_int, [ctypes.c_void_p, ctypes.c_char_p]),
        ("mysql_store_result", ctypes.c_void_p, [ctypes.c_void_p]),
        ("mysql_next_result", ctypes.c_int, [ctypes.c_void_p]),
        ("mysql_num_fields", ctypes.c_uint, [ctypes.c_void_p]),
        ("mysql_fetch_row", _row, [ctypes.c_void_p]),
        ("mysql_free_result", None, [ctypes.c_void_p])):
    getattr(_lib, _name).restype, getattr(_lib, _name).argtypes = _result, _arguments


class Session:
    def __init__(self, port):
        self.connection = _lib.mysql_init(None)
        if not _lib.mysql_real_connect(self.connection, b"127.0.0.1", b"root", b"", None, port, None, 0):
            raise RuntimeError(self._error())

    def _error(self):
        return _lib.mysql_error(self.connection).decode()

    def query(self, sql):
        """Rows of texts of the first result; what else a procedure says is passed over."""
        if _lib.mysql_query(self.connection, sql.encode()) != 0:
            raise RuntimeError(f"{self._error()} in: {sql[:400]}")
        rows = self._rows()
        while (more := _lib.mysql_next_result(self.connection)) == 0:
            self._rows()
        if more > 0:
            raise RuntimeError(f"{self._error()} in: {sql[:400]}")
        return rows

    def _rows(self):
        result = _lib.mysql_store_result(self.connection)
        if not result:
            return []
        columns = range(_lib.mysql_num_fields(result))
        rows = []
        while row := _lib.mysql_fetch_row(result):
            rows.append(tuple(None if row[column] is None else row[column].decode() for column in columns))
        _lib.mysql_free_result(result)
        return rows
