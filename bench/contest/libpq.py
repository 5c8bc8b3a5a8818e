# SPDX-License-Identifier: Apache-2.0
"""A session with PostgreSQL through the system's libpq, which costs a query little more than the server's own time."""
import ctypes

_libpq = ctypes.CDLL("libpq.so.5")
for _name, _result, _arguments in (
        ("PQconnectdb", ctypes.c_void_p, [ctypes.c_char_p]),
        ("PQstatus", ctypes.c_int, [ctypes.c_void_p]),
        ("PQerrorMessage", ctypes.c_char_p, [ctypes.c_void_p]),
        ("PQexec", ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_char_p]),
        ("PQresultStatus", ctypes.c_int, [ctypes.c_void_p]),
        ("PQntuples", ctypes.c_int, [ctypes.c_void_p]),
        ("PQnfields", ctypes.c_int, [ctypes.c_void_p]),
        ("PQgetisnull", ctypes.c_int, [ctypes.c_void_p, ctypes.c_int, ctypes.c_int]),
        ("PQgetvalue", ctypes.c_char_p, [ctypes.c_void_p, ctypes.c_int, ctypes.c_int]),
        ("PQclear", None, [ctypes.c_void_p]),
        ("PQfinish", None, [ctypes.c_void_p])):
    getattr(_libpq, _name).restype, getattr(_libpq, _name).argtypes = _result, _arguments

CONNECTION_OK = 0
COMMAND_OK, TUPLES_OK = 1, 2


class Session:
    def __init__(self, conninfo):
        self.connection = _libpq.PQconnectdb(f"{conninfo} options='-c client_min_messages=warning'".encode())
        if _libpq.PQstatus(self.connection) != CONNECTION_OK:
            raise RuntimeError(_libpq.PQerrorMessage(self.connection).decode())

    def query(self, sql):
        """Rows of texts; of several statements, those of the last."""
        result = _libpq.PQexec(self.connection, sql.encode())
        try:
            if _libpq.PQresultStatus(result) not in (COMMAND_OK, TUPLES_OK):
                raise RuntimeError(f"{_libpq.PQerrorMessage(self.connection).decode()}in: {sql[:400]}")
            columns = range(_libpq.PQnfields(result))
            return [tuple(None if _libpq.PQgetisnull(result, row, column) else
                          _libpq.PQgetvalue(result, row, column).decode() for column in columns)
                    for row in range(_libpq.PQntuples(result))]
        finally:
            _libpq.PQclear(result)

    def value(self, sql):
        rows = self.query(sql)
        return rows[0][0] if rows else None

    def close(self):
        _libpq.PQfinish(self.connection)
