// SPDX-License-Identifier: Apache-2.0
/* TraceQL's grammar. Sets of spans, scalars and series share one form, `item`: parentheses and
 * operators look the same for all of them, and what they join is known only from their ends. So
 * the grammar has no conflicts, and what cannot be joined is a meaning error that says so.
 *
 * Precedences are Tempo's: && and || are equal, comparisons and structural operators are equal,
 * all go to the left but ^. What could stand at a wrong token comes from LAC, so it is exact; it
 * is told in groups by unexpected.c. */
%code requires {
#include "collector/query/traceql/build.h"
}
%code {
#include "collector/query/language/grammar.h"
#include "collector/query/traceql/lexer.h"
#include "collector/query/traceql/unexpected.h"

static void traceql_grammar_error(const struct language_place *at, struct traceql_parser *p,
                                  const char *message);

#define YYMAXDEPTH (4 * TRACEQL_DEPTH_MAX)
#define JOIN(out, l, r, op, set_op, at)                                                            \
    NEED(traceql_build_joined(p, &(l), &(r), op, set_op, at, &(out)))
}

%define api.pure full
%define api.prefix {traceql_grammar_}
%define api.token.prefix {TRACEQL_TOKEN_}
%define api.value.union.name TRACEQL_TOKEN_VALUE
%define api.location.type {struct language_place}
%define parse.error custom
%define parse.lac full
%locations
%param {struct traceql_parser *p}
%expect 0

%union {
    struct traceql_value value;
    struct traceql_field field;
    struct batch_str word;
    int meaning;
    struct traceql_expr *expr;
    struct traceql_operand item;
    struct traceql_flow flow;
    struct traceql_stage stage;
    struct traceql_metrics metrics;
    struct traceql_field_list fields;
    struct traceql_numbers numbers;
    struct traceql_hint hint;
    struct traceql_hint_list hints;
}

%token OPEN_BRACE CLOSE_BRACE OPEN CLOSE COMMA PIPE
%token <value> STRING INTEGER FLOAT DURATION TRUTH NIL STATUS KIND
%token <field> FIELD
%token <word> IDENTIFIER
%token <meaning> COUNT AGGREGATE COUNTING OVER_TIME QUANTILE COMPARE TOP
%token BY COALESCE SELECT WITH

%left AND OR
%left EQ NE LT LE GT GE RE NRE DESCENDANT ANCESTOR SIBLING NOT_CHILD NOT_PARENT NOT_DESCENDANT
      NOT_ANCESTOR UNION_CHILD UNION_PARENT UNION_DESCENDANT UNION_ANCESTOR UNION_SIBLING
%left ADD SUB
%precedence NOT
%left MUL DIV MOD
%right POW

%type <flow> pipeline
%type <stage> by select
%type <item> item filter
%type <value> number literal hint_value
%type <metrics> metrics function
%type <expr> expr
%type <fields> fields by_fields
%type <numbers> numbers
%type <hint> hint
%type <hints> hints hint_list

%%

query: pipeline hints { NEED(traceql_build_query(p, &$1, &$2)); }

pipeline:
    item                       { NEED(traceql_flow_begin(p, &$1, &$$)); }
  | by                         { NEED(traceql_flow_begin_stage(p, &$1, &$$)); }
  | select                     { NEED(traceql_flow_begin_stage(p, &$1, &$$)); }
  | pipeline PIPE item         { $$ = $1; NEED(traceql_flow_add(p, &$$, &$3)); }
  | pipeline PIPE by           { $$ = $1; NEED(traceql_flow_add_stage(p, &$$, &$3)); }
  | pipeline PIPE select       { $$ = $1; NEED(traceql_flow_add_stage(p, &$$, &$3)); }
  | pipeline PIPE COALESCE OPEN CLOSE
      {
        struct traceql_stage stage = {.form = TRACEQL_STAGE_COALESCE, .place = @3};
        $$ = $1;
        NEED(traceql_flow_add_stage(p, &$$, &stage));
      }

by: BY OPEN expr CLOSE
      { $$ = (struct traceql_stage){.form = TRACEQL_STAGE_BY, .place = @1, .by = $3}; }

select: SELECT OPEN fields CLOSE
      {
        $$ = (struct traceql_stage){
            .form = TRACEQL_STAGE_SELECT, .place = @1, .fields = {$3.count, $3.list}};
      }

/* ---- sets, scalars, series --------------------------------------------------------------- */

filter:
    OPEN_BRACE CLOSE_BRACE      { NEED(traceql_build_filter(p, NULL, @$, &$$)); }
  | OPEN_BRACE expr CLOSE_BRACE { NEED(traceql_build_filter(p, $2, @$, &$$)); }

item:
    filter
  | OPEN pipeline CLOSE         { NEED(traceql_build_group(p, &$2, @$, &$$)); }
  | number                      { NEED(traceql_build_number(p, $1, false, @$, &$$)); }
  | SUB number                  { NEED(traceql_build_number(p, $2, true, @$, &$$)); }
  | COUNT OPEN CLOSE            { NEED(traceql_build_aggregate(p, TRACEQL_COUNT, NULL, @$, &$$)); }
  | AGGREGATE OPEN expr CLOSE
      { NEED(traceql_build_aggregate(p, (enum traceql_aggregate)$1, $3, @$, &$$)); }
  | metrics                     { $1.place = @$; NEED(traceql_build_metrics(p, &$1, &$$)); }
  | TOP OPEN INTEGER CLOSE
      {
        enum traceql_series_form form = (enum traceql_series_form)$1;
        NEED(traceql_build_top(p, form, $3.integer, @$, &$$));
      }
  | item AND item { JOIN($$, $1, $3, TRACEQL_LITERAL, TRACEQL_SET_AND, @2); }
  | item OR item  { JOIN($$, $1, $3, TRACEQL_LITERAL, TRACEQL_SET_OR, @2); }
  | item GT item  { JOIN($$, $1, $3, TRACEQL_GT, TRACEQL_SET_CHILD, @2); }
  | item LT item  { JOIN($$, $1, $3, TRACEQL_LT, TRACEQL_SET_PARENT, @2); }
  | item EQ item  { JOIN($$, $1, $3, TRACEQL_EQ, TRACEQL_SET_FILTER, @2); }
  | item NE item  { JOIN($$, $1, $3, TRACEQL_NE, TRACEQL_SET_FILTER, @2); }
  | item GE item  { JOIN($$, $1, $3, TRACEQL_GE, TRACEQL_SET_FILTER, @2); }
  | item LE item  { JOIN($$, $1, $3, TRACEQL_LE, TRACEQL_SET_FILTER, @2); }
  | item ADD item { JOIN($$, $1, $3, TRACEQL_ADD, TRACEQL_SET_FILTER, @2); }
  | item SUB item { JOIN($$, $1, $3, TRACEQL_SUB, TRACEQL_SET_FILTER, @2); }
  | item MUL item { JOIN($$, $1, $3, TRACEQL_MUL, TRACEQL_SET_FILTER, @2); }
  | item DIV item { JOIN($$, $1, $3, TRACEQL_DIV, TRACEQL_SET_FILTER, @2); }
  | item MOD item { JOIN($$, $1, $3, TRACEQL_MOD, TRACEQL_SET_FILTER, @2); }
  | item POW item { JOIN($$, $1, $3, TRACEQL_POW, TRACEQL_SET_FILTER, @2); }
  | item DESCENDANT item { JOIN($$, $1, $3, TRACEQL_LITERAL, TRACEQL_SET_DESCENDANT, @2); }
  | item ANCESTOR item   { JOIN($$, $1, $3, TRACEQL_LITERAL, TRACEQL_SET_ANCESTOR, @2); }
  | item SIBLING item    { JOIN($$, $1, $3, TRACEQL_LITERAL, TRACEQL_SET_SIBLING, @2); }
  | item NOT_CHILD item  { JOIN($$, $1, $3, TRACEQL_LITERAL, TRACEQL_SET_NOT_CHILD, @2); }
  | item NOT_PARENT item { JOIN($$, $1, $3, TRACEQL_LITERAL, TRACEQL_SET_NOT_PARENT, @2); }
  | item NOT_DESCENDANT item
      { JOIN($$, $1, $3, TRACEQL_LITERAL, TRACEQL_SET_NOT_DESCENDANT, @2); }
  | item NOT_ANCESTOR item { JOIN($$, $1, $3, TRACEQL_LITERAL, TRACEQL_SET_NOT_ANCESTOR, @2); }
  | item NRE item          { JOIN($$, $1, $3, TRACEQL_LITERAL, TRACEQL_SET_NOT_SIBLING, @2); }
  | item UNION_CHILD item  { JOIN($$, $1, $3, TRACEQL_LITERAL, TRACEQL_SET_UNION_CHILD, @2); }
  | item UNION_PARENT item { JOIN($$, $1, $3, TRACEQL_LITERAL, TRACEQL_SET_UNION_PARENT, @2); }
  | item UNION_DESCENDANT item
      { JOIN($$, $1, $3, TRACEQL_LITERAL, TRACEQL_SET_UNION_DESCENDANT, @2); }
  | item UNION_ANCESTOR item
      { JOIN($$, $1, $3, TRACEQL_LITERAL, TRACEQL_SET_UNION_ANCESTOR, @2); }
  | item UNION_SIBLING item { JOIN($$, $1, $3, TRACEQL_LITERAL, TRACEQL_SET_UNION_SIBLING, @2); }

number: INTEGER | FLOAT | DURATION

/* ---- metrics functions ------------------------------------------------------------------- */

metrics: function by_fields { $$ = $1; $$.by.count = $2.count; $$.by.list = $2.list; }
  | COMPARE OPEN filter CLOSE
      {
        $$ = (struct traceql_metrics){
            .function = TRACEQL_COMPARE, .selection = $filter.set, .top = 10};
      }
  | COMPARE OPEN filter COMMA INTEGER[top] CLOSE
      {
        $$ = (struct traceql_metrics){.function = TRACEQL_COMPARE,
                                      .selection = $filter.set,
                                      .has_top = true,
                                      .top = $top.integer};
      }
  | COMPARE OPEN filter COMMA INTEGER[top] COMMA INTEGER[from] COMMA INTEGER[to] CLOSE
      {
        $$ = (struct traceql_metrics){.function = TRACEQL_COMPARE,
                                      .selection = $filter.set,
                                      .has_top = true,
                                      .has_times = true,
                                      .top = $top.integer,
                                      .start_unix_ns = $from.integer,
                                      .end_unix_ns = $to.integer};
      }

function:
    COUNTING OPEN CLOSE
      { $$ = (struct traceql_metrics){.function = (enum traceql_function)$1}; }
  | OVER_TIME OPEN FIELD CLOSE
      { $$ = (struct traceql_metrics){.function = (enum traceql_function)$1, .of = $3}; }
  | QUANTILE OPEN FIELD COMMA numbers CLOSE
      {
        $$ = (struct traceql_metrics){.function = TRACEQL_QUANTILE_OVER_TIME,
                                      .of = $3,
                                      .quantile_count = $5.count,
                                      .quantiles = $5.list};
      }

numbers:
    FLOAT                 { $$ = (struct traceql_numbers){0};
                            NEED(traceql_numbers_add(p, &$$, $1.number)); }
  | INTEGER               { $$ = (struct traceql_numbers){0};
                            NEED(traceql_numbers_add(p, &$$, (double)$1.integer)); }
  | numbers COMMA FLOAT   { $$ = $1; NEED(traceql_numbers_add(p, &$$, $3.number)); }
  | numbers COMMA INTEGER { $$ = $1; NEED(traceql_numbers_add(p, &$$, (double)$3.integer)); }

by_fields:
    %empty               { $$ = (struct traceql_field_list){0}; }
  | BY OPEN fields CLOSE { $$ = $3; }

fields:
    FIELD              { $$ = (struct traceql_field_list){0};
                         NEED(traceql_fields_add(p, &$$, &$1)); }
  | fields COMMA FIELD { $$ = $1; NEED(traceql_fields_add(p, &$$, &$3)); }

/* ---- hints ------------------------------------------------------------------------------- */

hints:
    %empty                          { $$ = (struct traceql_hint_list){0}; }
  | hints WITH OPEN hint_list CLOSE
      {
        $$ = $1;
        for (uint32_t i = 0; i < $4.count; i++)
            NEED(traceql_hints_add(p, &$$, &$4.list[i]));
      }

hint_list:
    hint                 { $$ = (struct traceql_hint_list){0};
                           NEED(traceql_hints_add(p, &$$, &$1)); }
  | hint_list COMMA hint { $$ = $1; NEED(traceql_hints_add(p, &$$, &$3)); }

hint: IDENTIFIER EQ hint_value { $$ = (struct traceql_hint){$1, $3, @1}; }

hint_value: STRING | INTEGER | FLOAT | DURATION | TRUTH

/* ---- inside { } -------------------------------------------------------------------------- */

expr:
    OPEN expr CLOSE { $$ = $2; }
  | literal         { NEED($$ = traceql_build_literal(p, $1, @$)); }
  | FIELD           { NEED($$ = traceql_build_field(p, $1)); }
  | NOT expr        { NEED($$ = traceql_build_unary(p, TRACEQL_NOT, $2, @1)); }
  | SUB expr        { NEED($$ = traceql_build_unary(p, TRACEQL_NEGATE, $2, @1)); }
  | expr ADD expr   { NEED($$ = traceql_build_binary(p, TRACEQL_ADD, $1, $3, @2)); }
  | expr SUB expr   { NEED($$ = traceql_build_binary(p, TRACEQL_SUB, $1, $3, @2)); }
  | expr MUL expr   { NEED($$ = traceql_build_binary(p, TRACEQL_MUL, $1, $3, @2)); }
  | expr DIV expr   { NEED($$ = traceql_build_binary(p, TRACEQL_DIV, $1, $3, @2)); }
  | expr MOD expr   { NEED($$ = traceql_build_binary(p, TRACEQL_MOD, $1, $3, @2)); }
  | expr POW expr   { NEED($$ = traceql_build_binary(p, TRACEQL_POW, $1, $3, @2)); }
  | expr EQ expr    { NEED($$ = traceql_build_binary(p, TRACEQL_EQ, $1, $3, @2)); }
  | expr NE expr    { NEED($$ = traceql_build_binary(p, TRACEQL_NE, $1, $3, @2)); }
  | expr LT expr    { NEED($$ = traceql_build_binary(p, TRACEQL_LT, $1, $3, @2)); }
  | expr LE expr    { NEED($$ = traceql_build_binary(p, TRACEQL_LE, $1, $3, @2)); }
  | expr GT expr    { NEED($$ = traceql_build_binary(p, TRACEQL_GT, $1, $3, @2)); }
  | expr GE expr    { NEED($$ = traceql_build_binary(p, TRACEQL_GE, $1, $3, @2)); }
  | expr RE expr    { NEED($$ = traceql_build_binary(p, TRACEQL_RE, $1, $3, @2)); }
  | expr NRE expr   { NEED($$ = traceql_build_binary(p, TRACEQL_NRE, $1, $3, @2)); }
  | expr AND expr   { NEED($$ = traceql_build_binary(p, TRACEQL_AND, $1, $3, @2)); }
  | expr OR expr    { NEED($$ = traceql_build_binary(p, TRACEQL_OR, $1, $3, @2)); }

literal: STRING | INTEGER | FLOAT | DURATION | TRUTH | NIL | STATUS | KIND

%%

/* Bison's own: only that its stack is full. */
static void traceql_grammar_error(const struct language_place *at, struct traceql_parser *p,
                                  const char *message)
{
    (void)message;
    language_fail_depth(&p->in, *at, TRACEQL_DEPTH_MAX);
}

static enum traceql_expected group_of(yysymbol_kind_t kind)
{
    static const uint8_t groups[YYNTOKENS] = {
        [YYSYMBOL_YYEOF] = TRACEQL_EXPECT_END,
        [YYSYMBOL_OPEN_BRACE] = TRACEQL_EXPECT_OPEN_BRACE,
        [YYSYMBOL_CLOSE_BRACE] = TRACEQL_EXPECT_CLOSE_BRACE,
        [YYSYMBOL_OPEN] = TRACEQL_EXPECT_OPEN,
        [YYSYMBOL_CLOSE] = TRACEQL_EXPECT_CLOSE,
        [YYSYMBOL_COMMA] = TRACEQL_EXPECT_COMMA,
        [YYSYMBOL_PIPE] = TRACEQL_EXPECT_PIPE,
        [YYSYMBOL_STRING] = TRACEQL_EXPECT_STRING,
        [YYSYMBOL_INTEGER] = TRACEQL_EXPECT_INTEGER,
        [YYSYMBOL_FLOAT] = TRACEQL_EXPECT_FLOAT,
        [YYSYMBOL_DURATION] = TRACEQL_EXPECT_DURATION,
        [YYSYMBOL_TRUTH] = TRACEQL_EXPECT_TRUTH,
        [YYSYMBOL_NIL] = TRACEQL_EXPECT_NIL,
        [YYSYMBOL_STATUS] = TRACEQL_EXPECT_NIL,
        [YYSYMBOL_KIND] = TRACEQL_EXPECT_NIL,
        [YYSYMBOL_FIELD] = TRACEQL_EXPECT_FIELD,
        [YYSYMBOL_IDENTIFIER] = TRACEQL_EXPECT_HINT,
        [YYSYMBOL_COUNT] = TRACEQL_EXPECT_AGGREGATE,
        [YYSYMBOL_AGGREGATE] = TRACEQL_EXPECT_AGGREGATE,
        [YYSYMBOL_COUNTING] = TRACEQL_EXPECT_FUNCTION,
        [YYSYMBOL_OVER_TIME] = TRACEQL_EXPECT_FUNCTION,
        [YYSYMBOL_QUANTILE] = TRACEQL_EXPECT_FUNCTION,
        [YYSYMBOL_COMPARE] = TRACEQL_EXPECT_FUNCTION,
        [YYSYMBOL_TOP] = TRACEQL_EXPECT_TOP,
        [YYSYMBOL_BY] = TRACEQL_EXPECT_BY,
        [YYSYMBOL_COALESCE] = TRACEQL_EXPECT_COALESCE,
        [YYSYMBOL_SELECT] = TRACEQL_EXPECT_SELECT,
        [YYSYMBOL_WITH] = TRACEQL_EXPECT_WITH,
        [YYSYMBOL_AND] = TRACEQL_EXPECT_AND,
        [YYSYMBOL_OR] = TRACEQL_EXPECT_AND,
        [YYSYMBOL_EQ] = TRACEQL_EXPECT_EQUAL,
        [YYSYMBOL_NE] = TRACEQL_EXPECT_COMPARISON,
        [YYSYMBOL_LT] = TRACEQL_EXPECT_COMPARISON,
        [YYSYMBOL_LE] = TRACEQL_EXPECT_COMPARISON,
        [YYSYMBOL_GT] = TRACEQL_EXPECT_COMPARISON,
        [YYSYMBOL_GE] = TRACEQL_EXPECT_COMPARISON,
        [YYSYMBOL_RE] = TRACEQL_EXPECT_MATCH,
        [YYSYMBOL_NRE] = TRACEQL_EXPECT_COMPARISON,
        [YYSYMBOL_DESCENDANT] = TRACEQL_EXPECT_STRUCTURE,
        [YYSYMBOL_ADD] = TRACEQL_EXPECT_ARITHMETIC,
        [YYSYMBOL_SUB] = TRACEQL_EXPECT_MINUS,
        [YYSYMBOL_NOT] = TRACEQL_EXPECT_NOT,
    };
    return (enum traceql_expected)groups[kind];
}

static int yyreport_syntax_error(const yypcontext_t *context, struct traceql_parser *p)
{
    yysymbol_kind_t kinds[YYNTOKENS];
    int count = yypcontext_expected_tokens(context, kinds, YYNTOKENS);
    uint64_t expected = 0;
    if (count < 0)
        p->in.no_memory = true;
    for (int i = 0; i < count; i++)
        expected |= UINT64_C(1) << group_of(kinds[i]);
    traceql_unexpected(p, *yypcontext_location(context),
                       yypcontext_token(context) == YYSYMBOL_IDENTIFIER, expected);
    return 0;
}
