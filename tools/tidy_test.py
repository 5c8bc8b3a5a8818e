#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every rule of tools/tidy, broken once in a small tree of its own; and a clean tree that passes."""
import importlib.machinery
import importlib.util
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
loader = importlib.machinery.SourceFileLoader("tidy", str(HERE / "tidy"))
tidy = importlib.util.module_from_spec(importlib.util.spec_from_loader("tidy", loader))
loader.exec_module(tidy)

SPDX = "// SPDX-License-Identifier: Apache-2.0\n"
README = """# Rooms
| folder | what is in it | may include |
| --- | --- | --- |
| base | basics | |
| engine | tasks | base |
| testing | shared by tests | base engine |
| connectors | systems | base |
| sql | dialects | base |
| transforms | scripts | base |
"""


class Tidy(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.root = Path(self.directory.name)
        for room in ("base", "engine", "testing", "connectors", "sql", "transforms"):
            (self.root / "src/maia" / room).mkdir(parents=True)
        self.raw("src/maia/README.md", README)

    def tearDown(self):
        self.directory.cleanup()

    def raw(self, path, text):
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")

    def write(self, path, text):
        self.raw(path, SPDX + ("#pragma once\n" if path.endswith(".h") else "") + text)

    def complaints(self):
        return [f"{path}:{line}: {text}" for path, line, text in tidy.complaints(self.root)]

    def assert_only(self, *expected):
        found = self.complaints()
        self.assertEqual(len(found), len(expected), found)
        for part, line in zip(expected, found):
            self.assertIn(part, line)

    def test_a_clean_tree_passes(self):
        self.write("src/maia/base/a.h", "struct Clock {};\n")
        self.write("src/maia/engine/b.cc", '#include "maia/base/a.h"\n#include "maia/engine/b.h"\n// as PostgreSQL has it\n')
        self.write("src/maia/engine/b_test.cc", '#include "maia/testing/c.h"\nauto yaml = "type: postgres";\n')
        self.write("src/maia/connectors/postgres/x.cc", 'auto q = "select 1 from t"; int lsn = 1;\n')
        self.raw("src/maia/connectors/postgres/README.md", "# PostgreSQL\n")
        self.write("src/maia/transforms/y.cc", 'auto q = "create table duckdb (";\n')
        self.assertEqual(self.complaints(), [])

    def test_an_include_against_the_table_is_found(self):
        self.write("src/maia/base/a.cc", '#include "maia/engine/b.h"\n')
        self.assert_only("src/maia/base/a.cc:2: base may not include engine")

    def test_only_tests_may_include_testing(self):
        self.write("src/maia/engine/a.cc", '#include "maia/testing/b.h"\n')
        self.assert_only("engine may not include testing")

    def test_a_fixture_of_tests_counts_as_a_test(self):
        self.write("src/maia/engine/a_fixture.h", '#include "maia/testing/b.h"\n')
        self.assertEqual(self.complaints(), [])

    def test_a_connector_may_not_include_another(self):
        for name in ("one", "two"):
            self.raw(f"src/maia/connectors/{name}/README.md", "x\n")
        self.write("src/maia/connectors/one/a.cc", '#include "maia/connectors/two/b.h"\n')
        self.assert_only("connector one may not include connector two")

    def test_an_include_of_another_form_is_found(self):
        self.write("src/maia/base/a.cc", '#include "a.h"\n')
        self.assert_only('does not read "maia/<folder>/<file>.h"')

    def test_a_program_outside_src_may_include_its_own_headers(self):
        self.write("demo/shop.h", "")
        self.write("demo/main.cc", '#include "shop.h"\n#include "maia/base/a.h"\n')
        self.assertEqual(self.complaints(), [])
        self.write("demo/main.cc", '#include "till.h"\n')
        self.assert_only('include "till.h" does not read')

    def test_a_connector_name_in_the_core_is_found_in_code_and_in_literals(self):
        self.write("src/maia/engine/a.cc", "int postgres_port = 1;\n")
        self.write("src/maia/engine/b.cc", 'auto t = "into DuckDB";\n')
        self.assert_only("engine names the system postgres", "engine names the system DuckDB")

    def test_the_name_of_a_connector_folder_is_a_system(self):
        self.raw("src/maia/connectors/acme/README.md", "x\n")
        self.write("src/maia/engine/a.cc", "void open_acme();\n")
        self.assert_only("engine names the system acme")

    def test_english_words_are_no_leak(self):
        self.raw("src/maia/connectors/file/README.md", "x\n")
        self.write("src/maia/engine/a.cc", 'auto t = "select a table or file, then update it"; int walnut, digits;\n')
        self.assertEqual(self.complaints(), [])

    def test_a_log_position_of_a_product_is_found(self):
        self.write("src/maia/engine/a.cc", "int commit_lsn = 0;\nstruct GtidSet {};\n")
        self.assert_only("(lsn)", "(Gtid")

    def test_sql_in_the_core_is_found(self):
        self.write("src/maia/engine/a.cc", 'auto q = "insert into t values (1)";\nauto r = R"(\nselect a\nfrom b)";\n')
        self.assert_only("a.cc:2: engine holds SQL", "a.cc:3: engine holds SQL")

    def test_empty_words_in_names_are_found(self):
        self.write("src/maia/base/a.cc", "class TaskManager {};\nenum class RowData {};\nstruct Database {};\n")
        self.write("src/maia/base/utils.cc", "")
        self.assert_only('"Manager"', '"Data"', '"utils"')

    def test_sizes_have_limits(self):
        self.write("src/maia/base/a.cc", "\n" * 600)
        self.write("src/maia/base/b.cc", "//" + "x" * 109 + "\n")
        self.write("src/maia/base/c.cc", "int f() {\n" + "  g();\n" * 69 + "}\nint h() {\n" + "  g();\n" * 68 + "}\n")
        self.assert_only("601 lines", "111 columns", "c.cc:2: a function of 71 lines")

    def test_first_line_and_pragma_are_required(self):
        self.raw("src/maia/base/a.h", "// something else\n")
        self.assert_only("the first line is not", "no #pragma once")

    def test_forbidden_text_is_found(self):
        self.write("src/maia/base/a.h", "using namespace std;\n// TODO later\nauto& o = std::cout;\n// a \u2014 b\n")
        self.assert_only("note for later", "em dash", "using namespace", "global stream")

    def test_a_room_without_a_row_is_found(self):
        self.write("src/maia/attic/a.cc", "")
        self.assert_only("src/maia/attic:1: has no row")

    def test_a_connector_without_readme_is_found(self):
        self.write("src/maia/connectors/acme/a.cc", "")
        self.assert_only("the connector has no README.md")

    def test_a_link_that_leads_nowhere_is_found(self):
        self.raw("docs/a.md", "[b](b.md#part) [web](https://example.com/x)\n[c](../README.md) `[d](x)`\n")
        self.raw("docs/b.md", "# b\n")
        self.assert_only("docs/a.md:2: the link to ../README.md leads nowhere", "the link to x")

    def test_digit_separators_do_not_hide_code(self):
        self.write("src/maia/engine/a.cc", "int a = 1'000'000; int postgres = 1'000;\n")
        self.assert_only("engine names the system postgres")


if __name__ == "__main__":
    unittest.main()
