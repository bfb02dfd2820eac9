// SPDX-License-Identifier: Apache-2.0
#include "lib/regex/regex.h"

#include <cstdio>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <vector>

#include <re2/re2.h>

extern "C" {
#include "lib/base/buffer.h"
}

struct regex {
    regex(const re2::StringPiece &pattern, const RE2::Options &options) : re(pattern, options) {}
    RE2 re;
    /* For texts that are not UTF-8, made with the first of them. */
    mutable std::once_flag once;
    mutable std::unique_ptr<RE2> bytewise;
};

static RE2::Options options(RE2::Options::Encoding encoding)
{
    RE2::Options o;
    o.set_encoding(encoding);
    o.set_log_errors(false);
    o.set_dot_nl(true);
    o.set_max_mem(REGEX_BYTES_MAX);
    return o;
}

struct regex *regex_create(const char *pattern, size_t length, char *why, size_t why_size)
{
    try {
        auto *r = new regex(re2::StringPiece(pattern, length), options(RE2::Options::EncodingUTF8));
        if (r->re.ok())
            return r;
        snprintf(why, why_size, "%s", r->re.error().c_str());
        delete r;
    } catch (const std::bad_alloc &) {
        snprintf(why, why_size, "out of memory");
    }
    return nullptr;
}

void regex_destroy(struct regex **r)
{
    delete *r;
    *r = nullptr;
}

/* Whether RE2 can read the text. Overlong forms and surrogates are left to it: they match nothing
 * but themselves either way. */
static bool is_utf8(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        auto c = static_cast<unsigned char>(text[i]);
        size_t more = c < 0x80 ? 0 : c < 0xc2 ? 4 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : c < 0xf5 ? 3 : 4;
        if (more == 4 || more > length - 1 - i)
            return false;
        for (; more > 0; more--) {
            if ((static_cast<unsigned char>(text[++i]) & 0xc0) != 0x80)
                return false;
        }
    }
    return true;
}

static bool matches_bytes(const struct regex *r, const re2::StringPiece &text)
{
    std::call_once(r->once, [r] {
        r->bytewise = std::make_unique<RE2>(r->re.pattern(), options(RE2::Options::EncodingLatin1));
    });
    return r->bytewise->ok() &&
           r->bytewise->Match(text, 0, text.size(), RE2::ANCHOR_BOTH, nullptr, 0);
}

bool regex_matches(const struct regex *r, const char *text, size_t length)
{
    try {
        re2::StringPiece piece(text, length);
        if (r->re.Match(piece, 0, length, RE2::ANCHOR_BOTH, nullptr, 0))
            return true;
        return !is_utf8(text, length) && matches_bytes(r, piece);
    } catch (const std::exception &) {
        return false; /* memory is out */
    }
}

/* ---- templates --------------------------------------------------------------------------- */

static bool is_name_letter(char c)
{
    return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The group of that number or name; -1: there is none. */
static int group_named(const RE2 &re, const std::string &name)
{
    if (name.find_first_not_of("0123456789") != std::string::npos) {
        auto found = re.NamedCapturingGroups().find(name);
        return found == re.NamedCapturingGroups().end() ? -1 : found->second;
    }
    return name.size() < 9 ? std::stoi(name) : -1;
}

/* Reads the name behind a "$" at `i`; how far it reaches, or `i` where there is none. */
static size_t read_group(const char *by, size_t length, size_t i, std::string *name)
{
    bool braced = i < length && by[i] == '{';
    size_t begin = i + braced, end = begin;
    while (end < length && is_name_letter(by[end]))
        end++;
    if (end == begin || (braced && (end == length || by[end] != '}')))
        return i;
    name->assign(by + begin, end - begin);
    return end + braced;
}

static void expand(const RE2 &re, const std::vector<re2::StringPiece> &groups, const char *by,
                   size_t length, struct buffer *out)
{
    std::string name;
    for (size_t i = 0; i < length;) {
        if (by[i] != '$') {
            buffer_byte(out, by[i++]);
            continue;
        }
        size_t end = read_group(by, length, i + 1, &name);
        if (end == i + 1) {
            buffer_byte(out, '$');
            i += i + 1 < length && by[i + 1] == '$' ? 2 : 1;
            continue;
        }
        int group = group_named(re, name);
        if (group >= 0 && static_cast<size_t>(group) < groups.size())
            buffer_append(out, groups[group].data(), groups[group].size());
        i = end;
    }
}

bool regex_expand(const struct regex *r, const char *text, size_t length, const char *by,
                  size_t by_length, struct buffer *out)
{
    try {
        re2::StringPiece piece(text, length);
        std::vector<re2::StringPiece> groups(r->re.NumberOfCapturingGroups() + 1);
        if (!r->re.Match(piece, 0, length, RE2::ANCHOR_BOTH, groups.data(),
                         static_cast<int>(groups.size())))
            return false;
        expand(r->re, groups, by, by_length, out);
        return true;
    } catch (const std::exception &) {
        out->failed = true; /* memory is out */
        return true;
    }
}
