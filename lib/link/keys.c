// SPDX-License-Identifier: Apache-2.0
#include "lib/link/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/link/link.h"

static const char prefix[] = "weft-key-v1:";

enum {
    PREFIX_LENGTH = sizeof prefix - 1,
    TEXT_LENGTH = sodium_base64_ENCODED_LEN(LINK_KEY_BYTES, sodium_base64_VARIANT_ORIGINAL) - 1,
    FILE_LENGTH = PREFIX_LENGTH + TEXT_LENGTH + 1, /* and a newline */
};

int link_key_generate(uint8_t key[LINK_KEY_BYTES], char *why, size_t why_size)
{
    if (sodium_init() < 0) {
        snprintf(why, why_size, "no source of random numbers");
        return -1;
    }
    randombytes_buf(key, LINK_KEY_BYTES);
    return 0;
}

int link_key_save(const char *path, const uint8_t key[LINK_KEY_BYTES], char *why, size_t why_size)
{
    char text[FILE_LENGTH + 1];
    memcpy(text, prefix, PREFIX_LENGTH);
    sodium_bin2base64(text + PREFIX_LENGTH, TEXT_LENGTH + 1, key, LINK_KEY_BYTES,
                      sodium_base64_VARIANT_ORIGINAL);
    text[FILE_LENGTH - 1] = '\n';
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        snprintf(why, why_size, "%s: %s", path, strerror(errno));
        sodium_memzero(text, sizeof text);
        return -1;
    }
    errno = 0;
    bool written = write(fd, text, FILE_LENGTH) == FILE_LENGTH && fsync(fd) == 0;
    int error = errno ? errno : ENOSPC;
    close(fd);
    sodium_memzero(text, sizeof text);
    if (!written) {
        unlink(path);
        snprintf(why, why_size, "%s: %s", path, strerror(error));
        return -1;
    }
    return 0;
}

static int decode_key(const char *path, const char *text, size_t length,
                      uint8_t key[LINK_KEY_BYTES], char *why, size_t why_size)
{
    size_t key_length = 0;
    const char *end = NULL;
    while (length && strchr("\r\n \t", text[length - 1]))
        length--;
    if (length != FILE_LENGTH - 1 || memcmp(text, prefix, PREFIX_LENGTH) != 0 ||
        sodium_base642bin(key, LINK_KEY_BYTES, text + PREFIX_LENGTH, TEXT_LENGTH, NULL, &key_length,
                          &end, sodium_base64_VARIANT_ORIGINAL) != 0 ||
        key_length != LINK_KEY_BYTES || end != text + length) {
        snprintf(why, why_size,
                 "%s: found no key, expected one line \"%s...\" as weft keygen makes", path,
                 prefix);
        return -1;
    }
    return 0;
}

int link_key_load(const char *path, uint8_t key[LINK_KEY_BYTES], char *why, size_t why_size)
{
    char text[FILE_LENGTH + 16];
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) < 0) {
        snprintf(why, why_size, "%s: %s", path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return -1;
    }
    ssize_t length = S_ISREG(st.st_mode) ? read(fd, text, sizeof text) : -1;
    close(fd);
    int result = -1;
    if (length < 0)
        snprintf(why, why_size, "%s: not a file that can be read", path);
    else if (st.st_mode & 077)
        snprintf(why, why_size, "%s: others may use this key (mode %04o): chmod 600 it", path,
                 st.st_mode & 07777u);
    else
        result = decode_key(path, text, (size_t)length, key, why, why_size);
    sodium_memzero(text, sizeof text);
    return result;
}

bool link_agent_id_is_valid(const char *agent)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                  "._-";
    size_t length = strspn(agent, allowed);
    return length > 0 && length <= LINK_AGENT_ID_MAX && agent[length] == '\0' && agent[0] != '.';
}
