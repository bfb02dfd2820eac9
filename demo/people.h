// SPDX-License-Identifier: Apache-2.0
/* Who follows whom in the demo: a fixed, seeded world, so that every part agrees without asking.
 *
 * Users are numbered 1 to PEOPLE. The number of followers falls off as a Zipf law of the user's
 * number (exponent 1), so the first few are celebrities; who they are comes from a hash. */
#ifndef WEFT_DEMO_PEOPLE_H
#define WEFT_DEMO_PEOPLE_H

#include <stdint.h>

enum { PEOPLE = 20000, CELEBRITIES = 5, CELLS = 2, INBOX_LENGTH = 50, DASHBOARD_POSTS = 10 };

/* Each dashboard shows who is followed most: her card is the key that is asked for most. */
#define PEOPLE_HOTTEST_KEY "celebrity:1:card"

static inline uint64_t people_mix(uint64_t x)
{
    x = (x ^ (x >> 33)) * 0xff51afd7ed558ccdu;
    x = (x ^ (x >> 33)) * 0xc4ceb9fe1a85ec53u;
    return x ^ (x >> 33);
}

static inline unsigned people_followers(unsigned user)
{
    unsigned n = PEOPLE / 2 / user;
    return n > 3 ? n : 3;
}

/* The ith follower of a user. */
static inline unsigned people_follower(unsigned user, unsigned i)
{
    return (unsigned)(people_mix((uint64_t)user << 32 | i) % PEOPLE) + 1;
}

/* The cell that keeps a user's inbox: 1 to CELLS. */
static inline unsigned people_cell(unsigned user)
{
    return user % CELLS + 1;
}

#endif
