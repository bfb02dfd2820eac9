// SPDX-License-Identifier: Apache-2.0
/* TraceQL's lexer. Attributes are tokens as a whole, from their scope to the first character
 * that cannot be in a name: so `span.a-b` is one attribute, as in Tempo, and names with spaces or
 * braces are quoted: span."a b". Numbers with letters behind them are told as what they are
 * instead of being cut in two. Comments are Go's. */
#include "collector/query/traceql/lexer.h"

static int wrong(struct traceql_parser *p, struct language_place at, const char *why)
{
    language_fail_syntax(&p->in, at, "%s", why);
    return TRACEQL_TOKEN_WRONG;
}

static int attribute(struct traceql_parser *p, struct language_place at, enum traceql_scope scope,
                     union TRACEQL_TOKEN_VALUE *value)
{
    uint32_t prefix = 1;
    while (p->in.text.bytes[at.begin + prefix - 1] != '.')
        prefix++;
    return traceql_lex_attribute(p, at, prefix, scope, false, value);
}

int traceql_grammar_lex(union TRACEQL_TOKEN_VALUE *value, struct language_place *place,
                        struct traceql_parser *p)
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

    wide_space = [\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000];
    space      = [ \t\n\v\f\r] | wide_space;
    any        = [^\x00];
    bare       = any \ ([ \t\n\v\f\r{}()=~!<>&|^,"] | wide_space);
    quoted     = ["] ((any \ ["\\]) | "\\" any)* ["];
    key        = (bare | quoted)+;
    own_key    = ((bare \ [0-9]) | quoted) (bare | quoted)*;
    word       = [A-Za-z_] [A-Za-z0-9_]*;
    digits     = [0-9]+;
    decimal    = digits "." digits? | "." digits;
    exponent   = [eE] [+-]? digits;
    micro      = [\u00b5\u03bc];
    unit       = "ns" | "us" | micro "s" | "ms" | "s" | "m" | "h" | "d" | "w" | "y";

    $                    { AT; return TRACEQL_TOKEN_YYEOF; }
    space+               { goto next; }
    "//" [^\n\x00]*      { goto next; }
    "/*" ((any \ "*") | "*"+ (any \ [*/]))* "*"+ "/" { goto next; }
    "/*"                 { return wrong(p, AT, "this comment has no end"); }

    "{"   { AT; return TRACEQL_TOKEN_OPEN_BRACE; }
    "}"   { AT; return TRACEQL_TOKEN_CLOSE_BRACE; }
    "("   { AT; return TRACEQL_TOKEN_OPEN; }
    ")"   { AT; return TRACEQL_TOKEN_CLOSE; }
    ","   { AT; return TRACEQL_TOKEN_COMMA; }
    "|"   { AT; return TRACEQL_TOKEN_PIPE; }
    "&&"  { AT; return TRACEQL_TOKEN_AND; }
    "||"  { AT; return TRACEQL_TOKEN_OR; }
    "="   { AT; return TRACEQL_TOKEN_EQ; }
    "=="  { return wrong(p, AT, "found \"==\": equality is written with one \"=\""); }
    "!="  { AT; return TRACEQL_TOKEN_NE; }
    "<"   { AT; return TRACEQL_TOKEN_LT; }
    "<="  { AT; return TRACEQL_TOKEN_LE; }
    ">"   { AT; return TRACEQL_TOKEN_GT; }
    ">="  { AT; return TRACEQL_TOKEN_GE; }
    "=~"  { AT; return TRACEQL_TOKEN_RE; }
    "!~"  { AT; return TRACEQL_TOKEN_NRE; }
    "+"   { AT; return TRACEQL_TOKEN_ADD; }
    "-"   { AT; return TRACEQL_TOKEN_SUB; }
    "*"   { AT; return TRACEQL_TOKEN_MUL; }
    "/"   { AT; return TRACEQL_TOKEN_DIV; }
    "%"   { AT; return TRACEQL_TOKEN_MOD; }
    "^"   { AT; return TRACEQL_TOKEN_POW; }
    "!"   { AT; return TRACEQL_TOKEN_NOT; }
    ">>"  { AT; return TRACEQL_TOKEN_DESCENDANT; }
    "<<"  { AT; return TRACEQL_TOKEN_ANCESTOR; }
    "~"   { AT; return TRACEQL_TOKEN_SIBLING; }
    "!>"  { AT; return TRACEQL_TOKEN_NOT_CHILD; }
    "!<"  { AT; return TRACEQL_TOKEN_NOT_PARENT; }
    "!>>" { AT; return TRACEQL_TOKEN_NOT_DESCENDANT; }
    "!<<" { AT; return TRACEQL_TOKEN_NOT_ANCESTOR; }
    "&>"  { AT; return TRACEQL_TOKEN_UNION_CHILD; }
    "&<"  { AT; return TRACEQL_TOKEN_UNION_PARENT; }
    "&>>" { AT; return TRACEQL_TOKEN_UNION_DESCENDANT; }
    "&<<" { AT; return TRACEQL_TOKEN_UNION_ANCESTOR; }
    "&~"  { AT; return TRACEQL_TOKEN_UNION_SIBLING; }

    ["] ((any \ ["\\\n]) | "\\" any)* ["] { return traceql_lex_string(p, AT, value); }
    "`" (any \ "`")* "`"                  { return traceql_lex_raw_string(p, AT, value); }
    ["`]  { return wrong(p, AT, "this string has no end"); }
    "'"   { return wrong(p, AT, "found \"'\": strings are written \"so\" or `so`"); }

    digits                                { return traceql_lex_integer(p, AT, value); }
    decimal exponent? | digits exponent   { return traceql_lex_float(p, AT, value); }
    ((digits | decimal) unit)+            { return traceql_lex_duration(p, AT, value); }
    "."? [0-9] ([0-9A-Za-z_.] | micro)*   { return wrong(p, AT, "this is no number and no "
                "duration (their units are ns, us, ms, s, m, h, d, w, y)"); }

    "." own_key               { return attribute(p, AT, TRACEQL_UNSCOPED, value); }
    "span." key               { return attribute(p, AT, TRACEQL_SPAN, value); }
    "resource." key           { return attribute(p, AT, TRACEQL_RESOURCE, value); }
    "event." key              { return attribute(p, AT, TRACEQL_EVENT, value); }
    "link." key               { return attribute(p, AT, TRACEQL_LINK, value); }
    "instrumentation." key    { return attribute(p, AT, TRACEQL_INSTRUMENTATION, value); }
    "parent.span." key        { return traceql_lex_attribute(p, AT, 12, TRACEQL_SPAN, true, value); }
    "parent.resource." key    { return traceql_lex_attribute(p, AT, 16, TRACEQL_RESOURCE, true, value); }
    "parent." key             { return traceql_lex_attribute(p, AT, 7, TRACEQL_UNSCOPED, true, value); }
    "." | "span." | "resource." | "event." | "link." | "instrumentation." | "parent."
                              { return wrong(p, AT, "the attribute's name is missing here"); }
    word ":" [A-Za-z]*        { return traceql_lex_scoped(p, AT, value); }
    word                      { return traceql_lex_word(p, AT, value); }

    any   { return wrong(p, AT, "found a character that means nothing here"); }
    *     { return wrong(p, AT, "found a byte that is not UTF-8 text"); }
    */
#undef AT
}
