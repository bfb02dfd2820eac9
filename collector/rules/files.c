// SPDX-License-Identifier: Apache-2.0
/* Which files hold rules, and a set of all of them. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "collector/rules/rule.h"

struct rule_set *rule_set_create(void)
{
    struct rule_set *set = calloc(1, sizeof *set);
    if (set)
        arena_init(&set->arena, 16 << 10);
    return set;
}

void rule_set_destroy(struct rule_set **place)
{
    if (!*place)
        return;
    arena_fini(&(*place)->arena);
    free((*place)->groups);
    free(*place);
    *place = NULL;
}

static int read_file(struct rule_set *set, const char *path, char *why, size_t why_size)
{
    FILE *file = fopen(path, "re");
    char *text = file ? malloc(RULES_FILE_BYTES_MAX + 1) : NULL;
    size_t length = text ? fread(text, 1, RULES_FILE_BYTES_MAX + 1, file) : 0;
    int result = -1;
    if (!text || ferror(file))
        snprintf(why, why_size, "rules: %s: %s", path, strerror(errno));
    else if (length > RULES_FILE_BYTES_MAX)
        snprintf(why, why_size, "rules: %s: found more than 4 MiB, expected less", path);
    else
        result = rule_set_read(set, path, text, length, why, why_size);
    free(text);
    if (file)
        fclose(file);
    return result;
}

static int is_rules_file(const struct dirent *e)
{
    const char *dot = strrchr(e->d_name, '.');
    return e->d_name[0] != '.' && dot && (strcmp(dot, ".yml") == 0 || strcmp(dot, ".yaml") == 0);
}

static int read_directory(struct rule_set *set, const char *path, char *why, size_t why_size)
{
    struct dirent **list;
    int count = scandir(path, &list, is_rules_file, alphasort), result = 0;
    if (count < 0) {
        snprintf(why, why_size, "rules: %s: %s", path, strerror(errno));
        return -1;
    }
    for (int i = 0; i < count; i++) {
        char file[4096];
        int length = snprintf(file, sizeof file, "%s/%s", path, list[i]->d_name);
        if (result == 0 && (size_t)length < sizeof file)
            result = read_file(set, file, why, why_size);
        free(list[i]);
    }
    free(list);
    return result;
}

static int read_path(struct rule_set *set, const char *path, char *why, size_t why_size)
{
    struct stat st;
    if (stat(path, &st) != 0) {
        snprintf(why, why_size, "rules: %s: %s", path, strerror(errno));
        return -1;
    }
    return S_ISDIR(st.st_mode) ? read_directory(set, path, why, why_size)
                               : read_file(set, path, why, why_size);
}

struct rule_set *rule_set_load(const char *paths, char *why, size_t why_size)
{
    struct rule_set *set = rule_set_create();
    char *copy = strdup(paths ? paths : "");
    char *rest = copy, *path;
    int result = set && copy ? 0 : -1;
    if (result != 0)
        snprintf(why, why_size, "no memory");
    while (result == 0 && (path = strsep(&rest, ",")) != NULL) {
        path += strspn(path, " ");
        for (size_t end = strlen(path); end > 0 && path[end - 1] == ' ';)
            path[--end] = '\0';
        if (*path)
            result = read_path(set, path, why, why_size);
    }
    free(copy);
    if (result != 0)
        rule_set_destroy(&set);
    return set;
}
