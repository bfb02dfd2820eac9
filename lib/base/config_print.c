// SPDX-License-Identifier: Apache-2.0
/* --help and --man, both from the table. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/base/config.h"

enum { HELP_COLUMN = 34, HELP_WIDTH = 100 };

static const char *value_name(const struct config_option *option)
{
    if (option->value)
        return option->value;
    switch (option->type) {
    case CONFIG_STRING:
        return "TEXT";
    case CONFIG_URL:
        return "URL";
    case CONFIG_BOOL:
        return "BOOL";
    case CONFIG_BYTES:
        return "SIZE";
    case CONFIG_DURATION:
        return "DURATION";
    case CONFIG_INTEGER:
        return "NUMBER";
    }
    return "VALUE";
}

/* ---- help -------------------------------------------------------------------------------- */

/* Prints words from `column` on, breaking lines before HELP_WIDTH. */
static void print_wrapped(FILE *out, const char *text, int column)
{
    while (*text) {
        int length = (int)strcspn(text, " ");
        if (column + 1 + length > HELP_WIDTH) {
            fprintf(out, "\n%*s", HELP_COLUMN, "");
            column = HELP_COLUMN;
        } else if (column > HELP_COLUMN) {
            fputc(' ', out);
            column++;
        }
        fprintf(out, "%.*s", length, text);
        column += length;
        text += length;
        text += strspn(text, " ");
    }
}

static void print_option(FILE *out, const char *name, const char *value, const char *help,
                         const char *default_text)
{
    char text[1024];
    int column = fprintf(out, "  --%s%s%s", name, *value ? " " : "", value);
    if (column >= HELP_COLUMN - 1) {
        fputc('\n', out);
        column = 0;
    }
    fprintf(out, "%*s", HELP_COLUMN - column, "");
    if (default_text && *default_text)
        snprintf(text, sizeof text, "%s (default: %s)", help, default_text);
    else
        snprintf(text, sizeof text, "%s", help);
    print_wrapped(out, text, HELP_COLUMN);
    fputc('\n', out);
}

void config_print_help(const struct config_program *program, FILE *out)
{
    fprintf(out, "Usage: %s [--option value]…\n\n%s %s.\n\n", program->name, program->name,
            program->summary);
    for (size_t i = 0; i < program->option_count; i++) {
        const struct config_option *option = &program->options[i];
        print_option(out, option->name, option->type == CONFIG_BOOL ? "" : value_name(option),
                     option->help, option->default_text);
    }
    print_option(out, "config", "FILE", "a YAML file with the options above as \"option: value\"",
                 program->default_file);
    print_option(out, "version", "", "print the version", NULL);
    print_option(out, "man", "", "print the man page's source", NULL);
    print_option(out, "help", "", "print this", NULL);
}

/* ---- man page ---------------------------------------------------------------------------- */

/* Text where roff takes nothing for a request or an escape. */
static void print_roff(FILE *out, const char *text)
{
    bool line_start = true;
    for (; *text; text++) {
        if (line_start && (*text == '.' || *text == '\''))
            fputs("\\&", out);
        if (*text == '\\')
            fputs("\\e", out);
        else if (*text == '-')
            fputs("\\-", out);
        else
            fputc(*text, out);
        line_start = *text == '\n';
    }
}

/* Paragraphs: an empty line becomes .Pp. */
static void print_paragraphs(FILE *out, const char *text)
{
    const char *gap;
    char paragraph[4096];
    while ((gap = strstr(text, "\n\n")) != NULL) {
        snprintf(paragraph, sizeof paragraph, "%.*s", (int)(gap - text), text);
        print_roff(out, paragraph);
        fputs("\n.Pp\n", out);
        text = gap + 2;
    }
    print_roff(out, text);
    fputc('\n', out);
}

static void print_man_option(FILE *out, const char *name, const char *value, const char *help,
                             const char *default_text)
{
    fputs(".It Fl \\-", out);
    print_roff(out, name);
    if (*value)
        fprintf(out, " Ar %s", value);
    fputc('\n', out);
    print_roff(out, help);
    if (default_text && *default_text) {
        fputs(" (default: ", out);
        print_roff(out, default_text);
        fputc(')', out);
    }
    fputs(".\n", out);
}

/* Today, or the moment that reproducible builds give. */
static void print_man_date(FILE *out)
{
    char date[64];
    struct tm utc;
    const char *epoch = getenv("SOURCE_DATE_EPOCH");
    time_t now = epoch ? (time_t)strtoll(epoch, NULL, 10) : time(NULL);
    gmtime_r(&now, &utc);
    strftime(date, sizeof date, "%B %d, %Y", &utc);
    fprintf(out, ".Dd %s\n", date);
}

void config_print_man(const struct config_program *program, FILE *out)
{
    print_man_date(out);
    fputs(".Dt ", out);
    for (const char *c = program->name; *c; c++)
        fputc(*c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c, out);
    fprintf(out, " 8\n.Os\n.Sh NAME\n.Nm %s\n.Nd ", program->name);
    print_roff(out, program->summary);
    fputs("\n.Sh SYNOPSIS\n.Nm\n.Op Fl \\-config Ar FILE\n.Op Fl \\-option Ar value ...\n"
          ".Sh DESCRIPTION\n",
          out);
    print_paragraphs(out, program->description ? program->description : program->summary);
    fputs(".Sh OPTIONS\nEach may also stand in the configuration file, as\n"
          ".Dq option: value .\nThe command line wins.\n.Bl -tag -width Ds\n",
          out);
    for (size_t i = 0; i < program->option_count; i++) {
        const struct config_option *option = &program->options[i];
        print_man_option(out, option->name, value_name(option), option->help, option->default_text);
    }
    print_man_option(out, "config", "FILE", "read this configuration file", program->default_file);
    print_man_option(out, "help", "", "print the options", NULL);
    print_man_option(out, "version", "", "print the version", NULL);
    print_man_option(out, "man", "", "print this page's source", NULL);
    fputs(".El\n", out);
    if (program->default_file)
        fprintf(out,
                ".Sh FILES\n.Bl -tag -width Ds\n.It Pa %s\nthe configuration, if it exists\n.El\n",
                program->default_file);
}
