// SPDX-License-Identifier: Apache-2.0
/* PromQL's lexer. Within braces all words are names; within brackets a colon parts a subquery's
 * range from its step, elsewhere it is a letter of metrics' names. */
#include "collector/query/promql/lexer.h"

static int wrong(struct promql_parser *p, struct language_place at, const char *why)
{
    language_fail_syntax(&p->in, at, "%s", why);
    return PROMQL_TOKEN_WRONG;
}

int promql_grammar_lex(union PROMQL_TOKEN_VALUE *value, struct language_place *place,
                       struct promql_parser *p)
{
    const char *token, *marker;
next:
    token = p->in.cursor;
#define AT (*place = language_here(&p->in, token))
    /*!re2c
    re2c:define:YYCTYPE = "unsigned char";
    re2c:define:YYCURSOR = "p->in.cursor";
    re2c:define:YYLIMIT = "p->in.end";
    re2c:define:YYMARKER = marker;
    re2c:define:YYPEEK = "(unsigned char)*p->in.cursor";
    re2c:api:style = free-form;
    re2c:yyfill:enable = 0;
    re2c:eof = 0;
    re2c:flags:utf-8 = 1;
    re2c:encoding-policy = fail;
    re2c:indent:string = "    ";

    any      = [^\x00];
    digits   = [0-9] ("_"? [0-9])*;
    exponent = [eE] [+-]? [0-9]+;
    decimal  = digits ("." [0-9]*)? | "." [0-9]+;
    hex      = "0" [xX] ("_"? [0-9a-fA-F])+;
    unit     = "ms" | [smhdwy];
    quoted   = ["] ((any \ ["\\\n]) | "\\" (any \ [\n]))* ["]
             | ['] ((any \ ['\\\n]) | "\\" (any \ [\n]))* ['];

    $                    { AT; return PROMQL_TOKEN_YYEOF; }
    [ \t\n\r]+           { goto next; }
    "#" [^\n\x00]*       { goto next; }

    "{"   { AT; p->in_braces = true; return PROMQL_TOKEN_OPEN_BRACE; }
    "}"   { AT; p->in_braces = false; return PROMQL_TOKEN_CLOSE_BRACE; }
    "["   { AT; p->in_brackets = true; return PROMQL_TOKEN_OPEN_BRACKET; }
    "]"   { AT; p->in_brackets = false; return PROMQL_TOKEN_CLOSE_BRACKET; }
    "("   { AT; return PROMQL_TOKEN_OPEN; }
    ")"   { AT; return PROMQL_TOKEN_CLOSE; }
    ","   { AT; return PROMQL_TOKEN_COMMA; }
    "@"   { AT; return PROMQL_TOKEN_AT; }
    "="   { AT; return PROMQL_TOKEN_ASSIGN; }
    "=="  { AT; return PROMQL_TOKEN_EQ; }
    "!="  { AT; return PROMQL_TOKEN_NE; }
    "=~"  { AT; return PROMQL_TOKEN_RE; }
    "!~"  { AT; return PROMQL_TOKEN_NRE; }
    "<"   { AT; return PROMQL_TOKEN_LT; }
    "<="  { AT; return PROMQL_TOKEN_LE; }
    ">"   { AT; return PROMQL_TOKEN_GT; }
    ">="  { AT; return PROMQL_TOKEN_GE; }
    "</"  { AT; return PROMQL_TOKEN_TRIM_UPPER; }
    ">/"  { AT; return PROMQL_TOKEN_TRIM_LOWER; }
    "+"   { AT; return PROMQL_TOKEN_ADD; }
    "-"   { AT; return PROMQL_TOKEN_SUB; }
    "*"   { AT; return PROMQL_TOKEN_MUL; }
    "/"   { AT; return PROMQL_TOKEN_DIV; }
    "%"   { AT; return PROMQL_TOKEN_MOD; }
    "^"   { AT; return PROMQL_TOKEN_POW; }

    quoted                { return promql_lex_string(p, AT, value); }
    "`" (any \ "`")* "`"  { return promql_lex_raw_string(p, AT, value); }
    ["'`]                 { return wrong(p, AT, "this string has no end"); }

    hex | decimal exponent?  { return promql_lex_number(p, AT, value); }
    ([0-9]+ unit)+           { return promql_lex_duration(p, AT, value); }
    (hex | decimal exponent? | ([0-9]+ unit)+) [a-zA-Z0-9_.]+
        { return wrong(p, AT, "this is no number and no duration (their units are ms, s, m, h, d, "
                              "w, y; as in 1h30m)"); }

    ":"   {
            if (p->in_brackets) {
                AT;
                return PROMQL_TOKEN_COLON;
            }
            return promql_lex_word(p, AT, value);
          }
    [a-zA-Z_:] [a-zA-Z0-9_:]*
          {
            if (p->in_brackets) { /* a colon ends a word, or is one */
                p->in.cursor = token + 1;
                while (*token != ':' && p->in.cursor < p->in.end && *p->in.cursor != ':' &&
                       ((*p->in.cursor | 0x20) >= 'a' ? (*p->in.cursor | 0x20) <= 'z' || *p->in.cursor == '_'
                                                   : *p->in.cursor >= '0' && *p->in.cursor <= '9'))
                    p->in.cursor++;
                if (*token == ':') {
                    AT;
                    return PROMQL_TOKEN_COLON;
                }
            }
            return promql_lex_word(p, AT, value);
          }

    any   { return wrong(p, AT, "found a character that means nothing here"); }
    *     { return wrong(p, AT, "found a byte that is not UTF-8 text"); }
    */
#undef AT
}
