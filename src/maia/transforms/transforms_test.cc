// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <fstream>

#include "maia/config/yaml.h"
#include "maia/transforms/examples.h"
#include "maia/transforms/make_transform.h"
#include "maia/transforms/sandbox.h"
#include "maia/types/value_text.h"

namespace maia::transforms {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// Opening it takes longer than most tests.
const auto kSandbox = Sandbox::instance();

SchemaRef table(std::vector<Column> columns, Identity identity = Identity::key) {
  auto made = std::make_shared<TableSchema>();
  made->id = "1";
  made->name = {"public", "customers"};
  made->identity = identity;
  made->columns = std::move(columns);
  return made;
}
Column column(std::string name, Type type, bool in_key = false) {
  return {.name = std::move(name), .type = std::move(type), .nullable = !in_key, .in_key = in_key, .id = {}};
}
SchemaRef customers(Identity identity = Identity::key) {
  return table({column("customer_id", Type::of(TypeId::int64), true), column("email", Type::text()),
                column("amount", Type::decimal(10, 2)), column("payload", Type::of(TypeId::json))},
               identity);
}

std::vector<std::unique_ptr<Transform>> make(const config::TransformSettings& settings) {
  auto made = make_transforms(std::span(&settings, 1));
  EXPECT_TRUE(made.ok()) << made.error().message;
  return made.ok() ? std::move(made).value() : std::vector<std::unique_ptr<Transform>>{};
}
config::TransformSettings script(std::string text) {
  return {.name = "t", .script = std::move(text), .sql = {}, .tables = {}, .mark = {}};
}
config::TransformSettings sql(std::string text) {
  return {.name = "t", .script = {}, .sql = std::move(text), .tables = {}, .mark = {}};
}

std::string flat(const Preview& preview) {
  std::string text;
  for (const auto& row : preview.rows) {
    for (const auto& [name, value] : row) text += name + "=" + value.value_or("NULL") + " ";
    text += "| ";
  }
  for (const auto& failure : preview.failures) text += "failed " + std::to_string(failure.row) + " ";
  return text;
}

const std::vector<TextRow> kRows{
    {{"customer_id", "1"},
     {"email", "Ada@Example.com"},
     {"amount", "10.50"},
     {"payload", R"({"a":{"b":[7,"x"]}})"}},
    {{"customer_id", "2"}, {"email", std::nullopt}, {"amount", "-3.25"}, {"payload", std::nullopt}}};

std::string run(const config::TransformSettings& settings, const SchemaRef& schema = customers(),
                const std::vector<TextRow>& rows = kRows) {
  const auto transforms = make(settings);
  if (transforms.empty()) return "not made";
  const auto bound = transforms[0]->bind(schema);
  if (!bound.ok()) return bound.error().message + " / " + bound.error().hint;
  const auto result = preview(transforms, schema, rows);
  if (!result.ok()) return result.error().message + " / " + result.error().hint;
  return flat(*result);
}
/// The message and hint of a script that cannot be made or bound.
std::string problem(const config::TransformSettings& settings, const SchemaRef& schema = customers()) {
  const auto made = make_transforms(std::span(&settings, 1));
  if (!made.ok()) return made.error().message + " / " + made.error().hint;
  const auto bound = made->front()->bind(schema);
  if (bound.ok()) return "bound";
  EXPECT_EQ(bound.error().code, Error::Code::invalid_config);
  return bound.error().message + " / " + bound.error().hint;
}

TEST(Script, the_example_of_the_guide_runs_as_printed) {
  EXPECT_EQ(
      run(script("# map fields and coerce types\nout.id = in.customer_id\nout.email = lower(in.email)\n")),
      "id=1 email=ada@example.com | id=2 email=NULL | ");
}

TEST(Script, out_is_in_takes_all_columns_and_later_lines_change_and_drop_them) {
  EXPECT_EQ(
      run(script(
          "out = in\nout.email = upper(in.email)\ndrop out.payload, out.amount\nout.twice = in.amount * 2")),
      "customer_id=1 email=ADA@EXAMPLE.COM twice=21.00 | customer_id=2 email=NULL twice=-6.50 | ");
}

TEST(Script, later_lines_read_out_and_let) {
  EXPECT_EQ(run(script("let net = in.amount / 2\nout.id = in.customer_id\nout.net = net::decimal(10,3)\n"
                       "out.gross = out.net + 1\nout.net = out.gross * 2\nout.twin = out.id")),
            "id=1 net=12.500 gross=6.250 twin=1 | id=2 net=-1.250 gross=-0.625 twin=2 | ");
}

TEST(Script, a_random_value_is_computed_once) {
  const auto text =
      run(script("let r = uuid()\nout.id = in.customer_id\nout.same = r = r\nout.a = r::text = r::text"));
  EXPECT_EQ(text, "id=1 same=t a=t | id=2 same=t a=t | ");
}

TEST(Script, filters_keep_rows_that_are_true_and_several_must_all_be) {
  EXPECT_EQ(run(script("out.id = in.customer_id\nfilter in.amount > 0")), "id=1 | ");
  EXPECT_EQ(run(script("out.id = in.customer_id\nfilter in.email like 'A%'\nfilter in.amount < 0")), "");
  EXPECT_EQ(run(script("out.id = in.customer_id\nfilter in.customer_id in (2, 3)")), "id=2 | ");
}

TEST(Script, json_columns_have_paths) {
  EXPECT_EQ(run(script("out.id = in.customer_id\nout.x = in.payload.a.b[0]::int\nout.y = in.payload.a.b[1]\n"
                       "out.z = json(in.payload, '$.a.b')")),
            R"(id=1 x=7 y=x z=[7,"x"] | id=2 x=NULL y=NULL z=NULL | )");
}

TEST(Script, try_gives_the_default_for_errors_and_only_for_them) {
  EXPECT_EQ(run(script("out.id = in.customer_id\nout.n = try(in.email::int, -1)")),
            "id=1 n=-1 | id=2 n=NULL | ");
}

TEST(Script, personal_data_is_masked) {
  const auto text =
      run(script("out.id = in.customer_id\nout.a = mask(in.email)\nout.b = mask(in.email, 4)\n"
                 "out.c = redact(in.email)\nout.d = left(hash(in.email), 8)\n"
                 "out.e = hmac('what do ya want for nothing?', 'Jefe')\n"
                 "out.f = length(tokenize(in.email, 'key'))"));
  // RFC 4231, test case 2.
  EXPECT_THAT(text, HasSubstr("e=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"));
  EXPECT_THAT(text, HasSubstr("a=*************** b=***********.com c=[redacted] d="));
  EXPECT_THAT(text, HasSubstr("f=36"));
  EXPECT_THAT(text, HasSubstr("id=2 a=NULL b=NULL c=NULL d=NULL"));
}

TEST(Script, a_row_that_fails_is_named_and_the_others_go_on) {
  const auto text = run(script("out.id = in.customer_id\nout.n = coalesce(in.email, '5')::int"));
  EXPECT_EQ(text, "id=2 n=5 | failed 0 ");
}

TEST(Script, statements_go_on_inside_brackets_and_comments_vanish) {
  EXPECT_EQ(run(script("out.id = (in.customer_id # a comment with (\n + 1 -- another\n /* and\n one */ )")),
            "id=2 | id=3 | ");
}

TEST(Script, names_that_differ_by_case_alone_stay_apart) {
  const auto schema = table({column("id", Type::of(TypeId::int64), true), column("A", Type::text()),
                             column("a", Type::text()), column("od\"d name", Type::text())});
  EXPECT_EQ(run(script("out.id = in.id\nout.x = in.a || in.A || in.\"od\"\"d name\""), schema,
                {{{"id", "1"}, {"A", "big"}, {"a", "small"}, {"od\"d name", "!"}}}),
            "id=1 x=smallbig! | ");
}

TEST(Script, errors_name_line_and_column_and_what_to_write) {
  EXPECT_THAT(
      problem(script("out.id = in.customer_id\nout.e = lower(in.emial)")),
      HasSubstr(
          "line 2, column 18: the table public.customers has no column 'emial' / did you mean 'email'?"));
  EXPECT_THAT(problem(script("out.id = customer_id")),
              HasSubstr("line 1, column 10: there is no 'customer_id' / write in.customer_id"));
  EXPECT_THAT(problem(script("out.id = lower(in.email")), HasSubstr("line 1, column 15: '(' is not closed"));
  EXPECT_THAT(problem(script("out.id = in.email)")), HasSubstr("line 1, column 18: ')' closes nothing"));
  EXPECT_THAT(problem(script("out.id = 'abc")), HasSubstr("line 1, column 10: the text does not end"));
  EXPECT_THAT(problem(script("id = in.email")),
              HasSubstr("line 1, column 1: out.<column> =, out = in, drop"));
  EXPECT_THAT(problem(script("out.id =")), HasSubstr("an expression is expected, but the line ends"));
  EXPECT_THAT(problem(script("out.id = in.email; drop out.id")),
              HasSubstr("line 1, column 18: ';' has no meaning"));
  EXPECT_THAT(problem(script("out.x = nosuch(in.email)")), HasSubstr("line 1, column 9: Catalog Error"));
  EXPECT_THAT(problem(script("out.id = in.customer_id\nout.x = in.email +")),
              HasSubstr("line 2, column 9: syntax error"));
  EXPECT_THAT(problem(script("out.x = out.y")), HasSubstr("line 1, column 13: there is no out.y yet"));
  EXPECT_THAT(problem(script("out.x = in.email.part")), HasSubstr("in.email is not JSON"));
  EXPECT_THAT(problem(script("out = in\ndrop out.emial")), HasSubstr("did you mean 'email'?"));
  EXPECT_THAT(problem(script("out.x = \"in.email\"")),
              HasSubstr("line 1, column 9: there is no \"in.email\""));
  EXPECT_THAT(problem(script("out.x = union_value(a := 1)")),
              HasSubstr("a column cannot have the type UNION"));
  EXPECT_THAT(problem(script("out = in\nfilter in.amount")),
              HasSubstr("line 2, column 8: the filter gives decimal(10,2)"));
  EXPECT_THAT(problem(script("# nothing\n")), HasSubstr("the script is empty"));
  EXPECT_THAT(problem(script("let x = 1")), HasSubstr("the script leaves no column"));
  EXPECT_THAT(problem(script("let in = 1")), HasSubstr("'in' cannot be the name of a value"));
}

TEST(Script, what_looks_beyond_the_row_is_refused) {
  EXPECT_THAT(problem(script("out.x = sum(in.amount)")),
              HasSubstr("line 1, column 9: sum() is an aggregate"));
  EXPECT_THAT(problem(script("out.x = row_number() over ()")),
              HasSubstr("a window function looks at several rows"));
  EXPECT_THAT(problem(script("out.x = (select 1)")),
              HasSubstr("line 1, column 10: an expression cannot hold a query"));
  EXPECT_THAT(problem(script("out.x = (from range(3))")), HasSubstr("a query inside an expression"));
  EXPECT_THAT(problem(script("out.x = unnest([1, 2])")), HasSubstr("unnest() is not available"));
}

TEST(Script, the_sandbox_has_no_way_out) {
  for (const auto* escape :
       {"out.x = (from read_csv('/etc/passwd'))", "out.x = read_text('/etc/passwd')",
        "out.x = getenv('HOME')", "out.x = current_setting('threads')", "out.x = getvariable('x')",
        "out.x = 1) from x; set threads = 2 --", "out.x = E'\\'' || ') from glob(''/*'') --'",
        "out.x = 1; attach '/tmp/x.db'", "out.x = 1; install httpfs",
        "out.x = 1; copy (select 1) to '/tmp/x'", "out.x = 1; pragma version", "out.x = $1", "out.x = ?",
        "out.x = 1) from read_csv('/etc/passwd') as (t"}) {
    EXPECT_NE(problem(script(escape)), "bound") << escape;
  }
  for (const auto* escape :
       {"SELECT * FROM read_csv('/etc/passwd')", "COPY (SELECT 1) TO '/tmp/x'", "ATTACH '/tmp/x.db'",
        "SET threads = 2", "PRAGMA version", "INSTALL httpfs", "LOAD httpfs",
        "SELECT current_setting('threads') AS x FROM input", "SELECT getenv('HOME') AS x FROM input",
        "SELECT (SELECT 1) AS x FROM input", "SELECT 1 AS x; SELECT 2 AS y",
        "SELECT (FROM duckdb_settings()) AS x FROM input", "CREATE TABLE t (x int)",
        "SELECT $1 AS x FROM input"}) {
    EXPECT_NE(problem(sql(escape)), "bound") << escape;
  }
}

TEST(Sandbox, files_settings_and_extensions_are_shut_in_duckdb_itself) {
  auto sandbox = Sandbox::instance();
  ASSERT_TRUE(sandbox.ok()) << sandbox.error().message;
  auto connection = (*sandbox)->connect();
  ASSERT_TRUE(connection.ok());
  for (const auto* statement :
       {"SELECT * FROM read_csv('/etc/passwd')", "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM glob('/*')", "COPY (SELECT 1) TO '/tmp/maia-sandbox-test.csv'",
        "ATTACH '/tmp/maia-sandbox-test.db'", "SET threads = 2", "SET enable_external_access = true",
        "RESET lock_configuration", "INSTALL httpfs", "LOAD httpfs", "SET memory_limit = '99GB'",
        "EXPORT DATABASE '/tmp/maia-sandbox-test'"}) {
    ResultHandle result;
    EXPECT_EQ(duckdb_query(connection->get(), statement, result.out()), DuckDBError) << statement;
  }
}

TEST(Sql, a_select_maps_renames_and_filters) {
  EXPECT_EQ(run(sql("SELECT customer_id AS id, lower(i.email) AS email, email || '!' AS e2 FROM input i "
                    "WHERE amount > 0")),
            "id=1 email=ada@example.com e2=Ada@Example.com! | ");
  EXPECT_EQ(
      run(sql("SELECT * EXCLUDE (payload) REPLACE (lower(email) AS email), amount * 2 AS twice FROM input")),
      "customer_id=1 email=ada@example.com amount=10.50 twice=21.00 | "
      "customer_id=2 email=NULL amount=-3.25 twice=-6.50 | ");
  EXPECT_EQ(run(sql("SELECT customer_id, list_transform([amount], x -> x + 1)[1] AS l, payload->>'$.a.b[1]' "
                    "AS p FROM input")),
            "customer_id=1 l=11.50 p=x | customer_id=2 l=-2.25 p=NULL | ");
  EXPECT_EQ(
      run(sql("SELECT customer_id, amount + 1 AS more, more * 2 AS most FROM input WHERE customer_id = 1")),
      "customer_id=1 more=11.50 most=23.00 | ");
}

TEST(Sql, what_would_lose_rows_or_their_identity_is_refused) {
  EXPECT_THAT(problem(sql("SELECT count(*) AS n FROM input")),
              HasSubstr("is an aggregate over several rows"));
  EXPECT_THAT(problem(sql("SELECT email FROM input GROUP BY email")), HasSubstr("GROUP BY and HAVING"));
  EXPECT_THAT(problem(sql("SELECT email FROM input LIMIT 1")), HasSubstr("DISTINCT, ORDER BY and LIMIT"));
  EXPECT_THAT(problem(sql("SELECT DISTINCT email FROM input")), HasSubstr("DISTINCT, ORDER BY and LIMIT"));
  EXPECT_THAT(problem(sql("SELECT a.email FROM input a, input b")),
              HasSubstr("FROM input and from nothing else"));
  EXPECT_THAT(problem(sql("SELECT x FROM other")), HasSubstr("FROM input and from nothing else"));
  EXPECT_THAT(problem(sql("SELECT 1 AS x")), HasSubstr("FROM input and from nothing else"));
  EXPECT_THAT(problem(sql("WITH c AS (SELECT 1) SELECT email FROM input")),
              HasSubstr("WITH makes further queries"));
  EXPECT_THAT(problem(sql("SELECT email FROM input UNION ALL SELECT email FROM input")), HasSubstr("UNION"));
  EXPECT_THAT(problem(sql("SELECT lower(email) FROM input")), HasSubstr("has no name"));
  EXPECT_THAT(problem(sql("SELECT emial FROM input")), HasSubstr("did you mean 'email'?"));
  EXPECT_THAT(problem(sql("SELECT COLUMNS('e.*') FROM input")), HasSubstr("COLUMNS() is not available"));
  EXPECT_THAT(problem(sql("SELECT * FROM")), HasSubstr("syntax error"));
}

TEST(Transform, without_tables_it_applies_where_every_column_is) {
  const auto guide = make(script("out.id = in.customer_id\nout.email = lower(in.email)"));
  EXPECT_TRUE(guide[0]->applies_to(*customers()));
  EXPECT_FALSE(guide[0]->applies_to(*table({column("customer_id", Type::of(TypeId::int64))})));
  auto named = script("out = in");
  named.tables = {"public.cust*"};
  EXPECT_TRUE(make(named)[0]->applies_to(*customers()));
  named.tables = {"orders"};
  EXPECT_FALSE(make(named)[0]->applies_to(*customers()));
}

TEST(Transform, the_place_in_the_pipeline_file_is_named) {
  auto settings = script("out.id = (");
  settings.mark = {"maia.yaml", 9, 13};
  const auto made = make_transforms(std::span(&settings, 1));
  ASSERT_FALSE(made.ok());
  EXPECT_EQ(made.error().message, "maia.yaml:9:13: transform 't': line 1, column 10: '(' is not closed");
}

TEST(Transform, the_output_schema_is_known_before_rows_move) {
  const auto transforms = make(
      script("out.id = in.customer_id\nout.email = lower(in.email)\nout.n = in.amount * 2\nout.at = now()"));
  const auto bound = transforms[0]->bind(customers());
  ASSERT_TRUE(bound.ok()) << bound.error().message;
  const auto& columns = (*bound)->output()->columns;
  ASSERT_EQ(columns.size(), 4U);
  EXPECT_TRUE(columns[0].in_key);
  EXPECT_FALSE(columns[0].nullable);
  EXPECT_EQ(columns[1].type, Type::text());
  EXPECT_FALSE(columns[1].in_key);
  EXPECT_EQ(columns[2].type.id, TypeId::decimal);
  EXPECT_EQ(columns[3].type.id, TypeId::timestamp_tz);
}

TEST(Transform, a_computed_key_is_the_key_if_it_reads_the_key_alone) {
  const auto hashed = make(script("out.id = md5(in.customer_id::text)\nout.email = in.email"));
  EXPECT_TRUE((*hashed[0]->bind(customers()))->output()->columns[0].in_key);
  const auto mixed = make(script("out.id = in.customer_id || in.email"));
  EXPECT_FALSE((*mixed[0]->bind(customers()))->output()->columns[0].in_key);
}

/// The text between ```kind and ``` in the reference page, one entry each.
std::vector<std::string> examples_of(const std::string& kind) {
  std::ifstream file(MAIA_DOCS "/reference/mapping-language.md");
  std::vector<std::string> examples;
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    if (inside && line == "```") {
      inside = false;
    } else if (inside) {
      examples.back() += line + "\n";
    } else if (line == "```" + kind) {
      inside = true;
      examples.emplace_back();
    }
  }
  return examples;
}

TEST(Reference, its_examples_run_as_printed) {
  const auto schema =
      table({column("customer_id", Type::of(TypeId::int64), true), column("email", Type::text()),
             column("amount", Type::decimal(10, 2)), column("payload", Type::of(TypeId::json)),
             column("status", Type::text()), column("note", Type::text())});
  const std::vector<TextRow> rows{
      {{"customer_id", "1"},
       {"email", "Ada@Example.com"},
       {"amount", "11.90"},
       {"status", "live"},
       {"note", "x"},
       {"payload", R"({"address":{"country":"fr","city":"Paris"},"tags":["a"]})"}}};
  const auto scripts = examples_of("script");
  ASSERT_EQ(scripts.size(), 2U);
  EXPECT_EQ(run(script(scripts[0]), schema, rows),
            "customer_id=1 email=Ada@Example.com amount=11.90 status=live net=10.00 tax=1.90 country=FR "
            "first_tag=a "
            "quantity=0 | ");
  EXPECT_THAT(run(script(scripts[1]), schema, rows), HasSubstr("id=1 card=* email=tok_"));
  const auto statements = examples_of("sql");
  ASSERT_EQ(statements.size(), 1U);
  EXPECT_EQ(run(sql(statements[0]), schema, rows),
            "customer_id=1 email=ada@example.com amount=11.90 status=live note=x city=Paris | ");
}

TEST(Examples, tests_of_a_pipeline_file_pass_or_say_what_differs) {
  const auto document = config::parse_yaml(
      "source: {type: postgres}\n"
      "transform:\n"
      "  - name: t\n"
      "    script: |\n"
      "      out.id = in.customer_id\n"
      "      out.email = lower(in.email)\n"
      "      out.half = in.amount / 2\n"
      "destination: {type: duckdb}\n"
      "tests:\n"
      "  - name: good\n"
      "    table: public.customers\n"
      "    input: [{customer_id: 1, email: A@B, amount: 3.00}]\n"
      "    output: [{id: 1, email: a@b, half: 1.5}]\n"
      "  - name: bad\n"
      "    table: customers\n"
      "    input: [{customer_id: 1, email: A@B, amount: 3.00}, {customer_id: 2, email: null, amount: 1.0}]\n"
      "    output: [{id: 7, email: a@b}]\n"
      "  - name: untouched\n"
      "    table: customers\n"
      "    input: [{customer_id: 1, email: A@B}]\n"
      "    output: []\n",
      "maia.yaml");
  ASSERT_TRUE(document.ok());
  const config::Setting any{.name = "host", .doc = "Any."};
  const std::vector<config::ConnectorSettings> connectors{{"postgres", {any}, {}}, {"duckdb", {}, {any}}};
  const auto file = config::read_pipelines(*document, connectors, "maia");
  ASSERT_TRUE(file.ok()) << file.error().message;
  const auto outcomes = run_tests(file->pipelines.at(0));
  ASSERT_TRUE(outcomes.ok()) << outcomes.error().message;
  ASSERT_EQ(outcomes->size(), 3U);
  EXPECT_EQ(outcomes->at(0).name, "good");
  EXPECT_THAT(outcomes->at(0).differences, IsEmpty());
  EXPECT_THAT(outcomes->at(1).differences,
              ElementsAre("2 rows came out, 1 are expected", "row 1: id is '1', not '7'",
                          "row 1: the output has half too: '1.5'"));
  EXPECT_THAT(outcomes->at(2).differences,
              ElementsAre("1 rows came out, 0 are expected", HasSubstr("no transform applies")));
}

}  // namespace
}  // namespace maia::transforms
