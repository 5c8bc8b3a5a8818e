# Third-party libraries as imported targets. Debian packages come by pkg-config or CMake; libduckdb by ./dev (pinned, hashed).
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(PkgConfig REQUIRED)
foreach(lib IN ITEMS libpq libmariadb libzstd libxxhash sqlite3 yaml-0.1 simdjson openssl libcurl avro-c protobuf)
  string(MAKE_C_IDENTIFIER "${lib}" id)
  pkg_check_modules(${id} REQUIRED IMPORTED_TARGET ${lib})
endforeach()

add_library(duckdb SHARED IMPORTED)
set_target_properties(duckdb PROPERTIES
  IMPORTED_LOCATION ${MAIA_DEPS}/duckdb/libduckdb.so
  INTERFACE_INCLUDE_DIRECTORIES ${MAIA_DEPS}/duckdb)
if(NOT EXISTS ${MAIA_DEPS}/duckdb/libduckdb.so)
  message(FATAL_ERROR "libduckdb is missing in ${MAIA_DEPS}/duckdb; run ./dev build, which fetches it")
endif()

# Debian's librdkafka has flaws that break exactly once; ./dev builds a newer one.
pkg_check_modules(zlib REQUIRED IMPORTED_TARGET zlib)
add_library(rdkafka STATIC IMPORTED)
set_target_properties(rdkafka PROPERTIES
  IMPORTED_LOCATION ${MAIA_DEPS}/librdkafka/librdkafka.a
  INTERFACE_INCLUDE_DIRECTORIES ${MAIA_DEPS}/librdkafka
  INTERFACE_LINK_LIBRARIES "PkgConfig::openssl;PkgConfig::libzstd;PkgConfig::zlib;Threads::Threads;${CMAKE_DL_LIBS};m")
if(NOT EXISTS ${MAIA_DEPS}/librdkafka/librdkafka.a)
  message(FATAL_ERROR "librdkafka is missing in ${MAIA_DEPS}/librdkafka; run ./dev setup, which builds it")
endif()
