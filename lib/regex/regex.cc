// SPDX-License-Identifier: Apache-2.0
#include "lib/regex/regex.h"

#include <cstdio>
#include <memory>
#include <mutex>
#include <new>

#include <re2/re2.h>

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
