/* SPDX-License-Identifier: Apache-2.0 */
/* PromQL's grammar. Range, offset and @ belong to what stands before them; a sign binds as
 * multiplication does. After `offset` stands one number, or a calculation in parentheses:
 * `x offset 5m + 1` is a sum. */
%code requires {
#include "collector/query/promql/build.h"
}

%code {
#include "collector/query/language/grammar.h"
#include "collector/query/promql/lexer.h"
#include "collector/query/promql/unexpected.h"

static void promql_grammar_error(const struct language_place *at, struct promql_parser *p,
                                 const char *message);

#define YYMAXDEPTH 4000
#define JOIN(out, op, l, modifiers, r, at)                                                         \
    NEED((out) = promql_build_binary(p, op, l, &(modifiers), r, at))
}

%define api.pure full
%define api.prefix {promql_grammar_}
%define api.token.prefix {PROMQL_TOKEN_}
%define api.value.union.name PROMQL_TOKEN_VALUE
%define api.location.type {struct language_place}
%define parse.error custom
%define parse.lac full
%locations
%param {struct promql_parser *p}
%expect 0

%union {
    double number;
    int meaning;
    struct batch_str text;
    struct promql_expr *expr;
    struct promql_duration *duration;
    struct promql_expr_list exprs;
    struct promql_name_list names;
    struct promql_matcher matcher;
    struct promql_matcher_list matchers;
    struct promql_grouping grouping;
    struct promql_modifiers modifiers;
}

%token OPEN_BRACE CLOSE_BRACE OPEN_BRACKET CLOSE_BRACKET CLOSE COMMA COLON AT ASSIGN RE NRE
%token <number> NUMBER
%token <text> STRING IDENTIFIER METRIC
%token <meaning> AGGREGATE
%token BY WITHOUT ON IGNORING GROUP_LEFT GROUP_RIGHT BOOL FILL FILL_LEFT FILL_RIGHT OFFSET ANCHORED
       SMOOTHED

%precedence NO_LABELS
%precedence OPEN
%left OR
%left AND UNLESS
%left EQ NE LT LE GT GE TRIM_UPPER TRIM_LOWER
%left ADD SUB
%left MUL DIV MOD ATAN2
%right POW

%type <expr> expr postfix primary call aggregation selector
%type <exprs> args
%type <grouping> grouping
%type <names> labels label_list optional_labels
%type <text> label name
%type <matchers> matchers matcher_list
%type <matcher> matcher
%type <meaning> match_op
%type <modifiers> bool matching modifiers fills
%type <number> signed_number
%type <duration> duration offset offset_value

%%

query: expr { NEED(promql_build_query(p, $1)); }

expr:
    postfix
  | ADD expr %prec MUL            { NEED($$ = promql_build_unary(p, false, $2, @$)); }
  | SUB expr %prec MUL            { NEED($$ = promql_build_unary(p, true, $2, @$)); }
  | expr ADD modifiers expr       { JOIN($$, PROMQL_ADD, $1, $3, $4, @$); }
  | expr SUB modifiers expr       { JOIN($$, PROMQL_SUB, $1, $3, $4, @$); }
  | expr MUL modifiers expr       { JOIN($$, PROMQL_MUL, $1, $3, $4, @$); }
  | expr DIV modifiers expr       { JOIN($$, PROMQL_DIV, $1, $3, $4, @$); }
  | expr MOD modifiers expr       { JOIN($$, PROMQL_MOD, $1, $3, $4, @$); }
  | expr POW modifiers expr       { JOIN($$, PROMQL_POW, $1, $3, $4, @$); }
  | expr ATAN2 modifiers expr     { JOIN($$, PROMQL_ATAN2, $1, $3, $4, @$); }
  | expr EQ modifiers expr        { JOIN($$, PROMQL_EQ, $1, $3, $4, @$); }
  | expr NE modifiers expr        { JOIN($$, PROMQL_NE, $1, $3, $4, @$); }
  | expr GT modifiers expr        { JOIN($$, PROMQL_GT, $1, $3, $4, @$); }
  | expr LT modifiers expr        { JOIN($$, PROMQL_LT, $1, $3, $4, @$); }
  | expr GE modifiers expr        { JOIN($$, PROMQL_GE, $1, $3, $4, @$); }
  | expr LE modifiers expr        { JOIN($$, PROMQL_LE, $1, $3, $4, @$); }
  | expr TRIM_UPPER modifiers expr { JOIN($$, PROMQL_TRIM_UPPER, $1, $3, $4, @$); }
  | expr TRIM_LOWER modifiers expr { JOIN($$, PROMQL_TRIM_LOWER, $1, $3, $4, @$); }
  | expr AND modifiers expr       { JOIN($$, PROMQL_AND, $1, $3, $4, @$); }
  | expr OR modifiers expr        { JOIN($$, PROMQL_OR, $1, $3, $4, @$); }
  | expr UNLESS modifiers expr    { JOIN($$, PROMQL_UNLESS, $1, $3, $4, @$); }

postfix:
    primary
  | postfix OPEN_BRACKET duration CLOSE_BRACKET
      { NEED($$ = promql_build_range(p, $1, $3, @$)); }
  | postfix OPEN_BRACKET duration COLON CLOSE_BRACKET
      { NEED($$ = promql_build_subquery(p, $1, $3, NULL, @$)); }
  | postfix OPEN_BRACKET duration COLON duration CLOSE_BRACKET
      { NEED($$ = promql_build_subquery(p, $1, $3, $5, @$)); }
  | postfix OFFSET offset         { promql_build_offset(p, $1, $3, @$); $$ = $1; }
  | postfix AT signed_number      { promql_build_at_time(p, $1, $3, @$); $$ = $1; }
  | postfix AT IDENTIFIER OPEN CLOSE
      { promql_build_at_edge(p, $1, $3, @3, @$); $$ = $1; }
  | postfix ANCHORED              { promql_build_extended(p, $1, true, @$); $$ = $1; }
  | postfix SMOOTHED              { promql_build_extended(p, $1, false, @$); $$ = $1; }

primary:
    NUMBER          { NEED($$ = promql_build_number(p, $1, @$)); }
  | STRING          { NEED($$ = promql_build_text(p, $1, @$)); }
  | OPEN expr CLOSE { NEED($$ = promql_build_paren(p, $2, @$)); }
  | call
  | aggregation
  | selector

call:
    IDENTIFIER OPEN CLOSE
      { struct promql_expr_list none = {0};
        NEED($$ = promql_build_call(p, $1, &none, @1, @$)); }
  | IDENTIFIER OPEN args CLOSE    { NEED($$ = promql_build_call(p, $1, &$3, @1, @$)); }

args:
    expr            { $$ = (struct promql_expr_list){0}; NEED(promql_exprs_add(p, &$$, $1)); }
  | args COMMA expr { $$ = $1; NEED(promql_exprs_add(p, &$$, $3)); }

aggregation:
    AGGREGATE OPEN args CLOSE
      { struct promql_grouping none = {0};
        NEED($$ = promql_build_aggregation(p, (enum promql_aggregate)$1, &none, &$3, @$)); }
  | AGGREGATE OPEN args CLOSE grouping
      { NEED($$ = promql_build_aggregation(p, (enum promql_aggregate)$1, &$5, &$3, @$)); }
  | AGGREGATE grouping OPEN args CLOSE
      { NEED($$ = promql_build_aggregation(p, (enum promql_aggregate)$1, &$2, &$4, @$)); }

grouping:
    BY labels       { $$ = (struct promql_grouping){false, true, $2}; }
  | WITHOUT labels  { $$ = (struct promql_grouping){true, true, $2}; }

labels:
    OPEN CLOSE                  { $$ = (struct promql_name_list){0}; }
  | OPEN label_list CLOSE       { $$ = $2; }
  | OPEN label_list COMMA CLOSE { $$ = $2; }

label_list:
    label                  { $$ = (struct promql_name_list){0};
                             NEED(promql_names_add(p, &$$, $1, @1)); }
  | label_list COMMA label { $$ = $1; NEED(promql_names_add(p, &$$, $3, @3)); }

/* Words that mean something elsewhere are names of labels here. */
label: name | STRING
  | ON          { $$ = promql_text_at(p, @1); }
  | IGNORING    { $$ = promql_text_at(p, @1); }
  | GROUP_LEFT  { $$ = promql_text_at(p, @1); }
  | GROUP_RIGHT { $$ = promql_text_at(p, @1); }
  | BOOL        { $$ = promql_text_at(p, @1); }

/* … and some of them of metrics. */
name: IDENTIFIER
  | AND      { $$ = promql_text_at(p, @1); }
  | OR       { $$ = promql_text_at(p, @1); }
  | UNLESS   { $$ = promql_text_at(p, @1); }
  | ATAN2    { $$ = promql_text_at(p, @1); }
  | OFFSET   { $$ = promql_text_at(p, @1); }
  | BY       { $$ = promql_text_at(p, @1); }
  | WITHOUT  { $$ = promql_text_at(p, @1); }
  | ANCHORED { $$ = promql_text_at(p, @1); }
  | SMOOTHED { $$ = promql_text_at(p, @1); }

/* ---- selectors --------------------------------------------------------------------------- */

selector:
    name            { NEED($$ = promql_build_selector(p, $1, NULL, @$)); }
  | METRIC          { NEED($$ = promql_build_selector(p, $1, NULL, @$)); }
  | name matchers   { NEED($$ = promql_build_selector(p, $1, &$2, @$)); }
  | METRIC matchers { NEED($$ = promql_build_selector(p, $1, &$2, @$)); }
  | matchers        { NEED($$ = promql_build_selector(p, (struct batch_str){"", 0}, &$1, @$)); }

matchers:
    OPEN_BRACE CLOSE_BRACE                    { $$ = (struct promql_matcher_list){0}; }
  | OPEN_BRACE matcher_list CLOSE_BRACE       { $$ = $2; }
  | OPEN_BRACE matcher_list COMMA CLOSE_BRACE { $$ = $2; }

matcher_list:
    matcher                    { $$ = (struct promql_matcher_list){0};
                                 NEED(promql_matchers_add(p, &$$, &$1)); }
  | matcher_list COMMA matcher { $$ = $1; NEED(promql_matchers_add(p, &$$, &$3)); }

matcher:
    IDENTIFIER match_op STRING
      { $$ = (struct promql_matcher){(enum matcher_kind)$2, $1, $3, @$}; }
  | STRING match_op STRING
      { $$ = (struct promql_matcher){(enum matcher_kind)$2, $1, $3, @$}; }
  | STRING
      { $$ = (struct promql_matcher){MATCH_EQUAL, {LABEL_METRIC, sizeof LABEL_METRIC - 1}, $1, @$}; }

match_op:
    ASSIGN { $$ = MATCH_EQUAL; }
  | NE     { $$ = MATCH_NOT_EQUAL; }
  | RE     { $$ = MATCH_REGEX; }
  | NRE    { $$ = MATCH_NOT_REGEX; }

/* ---- how the sides of an operator are matched -------------------------------------------- */

modifiers:
    matching fills
      {
        $$ = $1;
        $$.matching.fills_left = $2.matching.fills_left;
        $$.matching.fills_right = $2.matching.fills_right;
        $$.matching.fill_left = $2.matching.fill_left;
        $$.matching.fill_right = $2.matching.fill_right;
      }

bool:
    %empty { $$ = (struct promql_modifiers){0}; }
  | BOOL   { $$ = (struct promql_modifiers){.to_bool = true}; }

matching:
    bool
  | bool ON labels
      { $$ = $1; promql_build_matching(&$$, true, &$3); }
  | bool IGNORING labels
      { $$ = $1; promql_build_matching(&$$, false, &$3); }
  | bool ON labels GROUP_LEFT optional_labels
      { $$ = $1; promql_build_matching(&$$, true, &$3); promql_build_group(&$$, true, &$5); }
  | bool ON labels GROUP_RIGHT optional_labels
      { $$ = $1; promql_build_matching(&$$, true, &$3); promql_build_group(&$$, false, &$5); }
  | bool IGNORING labels GROUP_LEFT optional_labels
      { $$ = $1; promql_build_matching(&$$, false, &$3); promql_build_group(&$$, true, &$5); }
  | bool IGNORING labels GROUP_RIGHT optional_labels
      { $$ = $1; promql_build_matching(&$$, false, &$3); promql_build_group(&$$, false, &$5); }

optional_labels:
    %empty %prec NO_LABELS { $$ = (struct promql_name_list){0}; }
  | labels

fills:
    %empty { $$ = (struct promql_modifiers){0}; }
  | FILL OPEN signed_number CLOSE
      { $$ = (struct promql_modifiers){0};
        promql_build_fill(&$$, true, $3);
        promql_build_fill(&$$, false, $3); }
  | FILL_LEFT OPEN signed_number CLOSE
      { $$ = (struct promql_modifiers){0}; promql_build_fill(&$$, true, $3); }
  | FILL_RIGHT OPEN signed_number CLOSE
      { $$ = (struct promql_modifiers){0}; promql_build_fill(&$$, false, $3); }
  | FILL_LEFT OPEN signed_number CLOSE FILL_RIGHT OPEN signed_number CLOSE
      { $$ = (struct promql_modifiers){0};
        promql_build_fill(&$$, true, $3);
        promql_build_fill(&$$, false, $7); }
  | FILL_RIGHT OPEN signed_number CLOSE FILL_LEFT OPEN signed_number CLOSE
      { $$ = (struct promql_modifiers){0};
        promql_build_fill(&$$, false, $3);
        promql_build_fill(&$$, true, $7); }

signed_number:
    NUMBER
  | ADD NUMBER { $$ = $2; }
  | SUB NUMBER { $$ = -$2; }

/* ---- durations --------------------------------------------------------------------------- */

duration:
    offset_value
  | ADD duration %prec MUL     { $$ = $2; }
  | SUB duration %prec MUL
      { NEED($$ = promql_build_duration(p, PROMQL_DURATION_NEGATE, PROMQL_SUB, $2, NULL, @$)); }
  | duration ADD duration
      { NEED($$ = promql_build_duration(p, PROMQL_DURATION_BINARY, PROMQL_ADD, $1, $3, @$)); }
  | duration SUB duration
      { NEED($$ = promql_build_duration(p, PROMQL_DURATION_BINARY, PROMQL_SUB, $1, $3, @$)); }
  | duration MUL duration
      { NEED($$ = promql_build_duration(p, PROMQL_DURATION_BINARY, PROMQL_MUL, $1, $3, @$)); }
  | duration DIV duration
      { NEED($$ = promql_build_duration(p, PROMQL_DURATION_BINARY, PROMQL_DIV, $1, $3, @$)); }
  | duration MOD duration
      { NEED($$ = promql_build_duration(p, PROMQL_DURATION_BINARY, PROMQL_MOD, $1, $3, @$)); }
  | duration POW duration
      { NEED($$ = promql_build_duration(p, PROMQL_DURATION_BINARY, PROMQL_POW, $1, $3, @$)); }

offset:
    offset_value
  | ADD offset_value { $$ = $2; }
  | SUB offset_value
      { NEED($$ = promql_build_duration(p, PROMQL_DURATION_NEGATE, PROMQL_SUB, $2, NULL, @$)); }

offset_value:
    NUMBER                { NEED($$ = promql_build_seconds(p, $1, @$)); }
  | OPEN duration CLOSE   { $$ = $2; }
  | IDENTIFIER OPEN CLOSE { NEED($$ = promql_build_duration_of(p, $1, NULL, NULL, @1)); }
  | IDENTIFIER OPEN duration COMMA duration CLOSE
      { NEED($$ = promql_build_duration_of(p, $1, $3, $5, @1)); }

%%

/* Bison's own: only that its stack is full. */
static void promql_grammar_error(const struct language_place *at, struct promql_parser *p,
                                 const char *message)
{
    (void)message;
    language_fail_depth(&p->in, *at, PROMQL_DEPTH_MAX);
}

static enum promql_expected group_of(yysymbol_kind_t kind)
{
    static const uint8_t groups[YYNTOKENS] = {
        [YYSYMBOL_YYEOF] = PROMQL_EXPECT_END,
        [YYSYMBOL_OPEN_BRACE] = PROMQL_EXPECT_OPEN_BRACE,
        [YYSYMBOL_CLOSE_BRACE] = PROMQL_EXPECT_CLOSE_BRACE,
        [YYSYMBOL_OPEN_BRACKET] = PROMQL_EXPECT_OPEN_BRACKET,
        [YYSYMBOL_CLOSE_BRACKET] = PROMQL_EXPECT_CLOSE_BRACKET,
        [YYSYMBOL_OPEN] = PROMQL_EXPECT_OPEN,
        [YYSYMBOL_CLOSE] = PROMQL_EXPECT_CLOSE,
        [YYSYMBOL_COMMA] = PROMQL_EXPECT_COMMA,
        [YYSYMBOL_COLON] = PROMQL_EXPECT_COLON,
        [YYSYMBOL_AT] = PROMQL_EXPECT_AT,
        [YYSYMBOL_ASSIGN] = PROMQL_EXPECT_MATCH,
        [YYSYMBOL_RE] = PROMQL_EXPECT_MATCH,
        [YYSYMBOL_NUMBER] = PROMQL_EXPECT_NUMBER,
        [YYSYMBOL_STRING] = PROMQL_EXPECT_STRING,
        [YYSYMBOL_IDENTIFIER] = PROMQL_EXPECT_NAME,
        [YYSYMBOL_METRIC] = PROMQL_EXPECT_SELECTOR,
        [YYSYMBOL_AGGREGATE] = PROMQL_EXPECT_AGGREGATION,
        [YYSYMBOL_OFFSET] = PROMQL_EXPECT_OFFSET,
        [YYSYMBOL_ON] = PROMQL_EXPECT_MATCHING,
        [YYSYMBOL_BOOL] = PROMQL_EXPECT_BOOL,
        [YYSYMBOL_GROUP_LEFT] = PROMQL_EXPECT_GROUP,
        [YYSYMBOL_BY] = PROMQL_EXPECT_GROUPING,
        [YYSYMBOL_ADD] = PROMQL_EXPECT_SIGN,
        [YYSYMBOL_MUL] = PROMQL_EXPECT_OPERATOR,
    };
    return (enum promql_expected)groups[kind];
}

static int yyreport_syntax_error(const yypcontext_t *context, struct promql_parser *p)
{
    yysymbol_kind_t kinds[YYNTOKENS];
    int count = yypcontext_expected_tokens(context, kinds, YYNTOKENS);
    uint32_t expected = 0;
    if (count < 0)
        p->in.no_memory = true;
    for (int i = 0; i < count; i++)
        expected |= UINT32_C(1) << group_of(kinds[i]);
    promql_unexpected(p, *yypcontext_location(context), expected);
    return 0;
}
