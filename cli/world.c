// SPDX-License-Identifier: Apache-2.0
#include "cli/world.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cli/world_collectd.h"

enum { ARGUMENTS_MAX = 32 };

static const char *const names[WORLD_MEMBERS] = {"redis",  "memcached", "collector", "agent",
                                                 "tap",    "collectd",  "firehose",  "cell-1",
                                                 "cell-2", "web",       "load"};

const char *world_name(enum world_member member)
{
    return names[member];
}

/* ---- places ------------------------------------------------------------------------------ */

/* Where this program lies, with a path appended. False: no such file. */
static bool beside_us(char *path, size_t size, const char *relative)
{
    char self[2048];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n <= 0)
        return false;
    self[n] = '\0';
    *strrchr(self, '/') = '\0';
    return snprintf(path, size, "%s/%s", self, relative) < (int)size && access(path, R_OK) == 0;
}

/* A program of ours: in the build tree, or as it is installed. */
static bool find_program(char *path, size_t size, const char *part, const char *program)
{
    char relative[256];
    snprintf(relative, sizeof relative, "../%s/%s", part, program);
    if (beside_us(path, size, relative))
        return true;
    if (beside_us(path, size, program))
        return true;
    snprintf(relative, sizeof relative, "../libexec/weft/%s", program);
    return beside_us(path, size, relative);
}

static bool is_free(uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    bool bound = bind(fd, (struct sockaddr *)&address, sizeof address) == 0;
    close(fd);
    return bound;
}

/* The wish if it is free, else a port below those that the kernel gives to outgoing connections
 * (32768 and up), so that none of these takes it before the member that it is for. */
static uint16_t free_port(uint16_t wish)
{
    enum { FIRST = 12000, COUNT = 20000 };
    static uint32_t next;
    if (wish && is_free(wish))
        return wish;
    if (next == 0)
        next = (uint32_t)getpid() * 97;
    for (int i = 0; i < COUNT; i++) {
        uint16_t port = (uint16_t)(FIRST + next++ % COUNT);
        if (is_free(port))
            return port;
    }
    return 0;
}

int world_init(struct world *w, uint16_t http_port, double rate)
{
    *w = (struct world){.version = "1.4.0", .rate = rate};
    strcpy(w->directory, "/tmp/weft-demo-XXXXXX");
    strcpy(w->slabs, "/dev/shm/weft-demo-XXXXXX");
    bool made = mkdtemp(w->directory) != NULL;
    if (!made || !mkdtemp(w->slabs)) {
        fprintf(stderr, "weft demo: %s: %s\n", made ? "/dev/shm" : "/tmp", strerror(errno));
        if (made)
            rmdir(w->directory);
        return -1;
    }
    for (int i = 0; i < WORLD_MEMBERS; i++)
        w->ports[i] = free_port(i == WORLD_COLLECTOR ? http_port : 0);
    w->link_port = free_port(0);
    w->control_port = free_port(0);
    snprintf(w->url, sizeof w->url, "http://127.0.0.1:%u", w->ports[WORLD_COLLECTOR]);
    return 0;
}

void world_log_path(const struct world *w, enum world_member member, char *path, size_t size)
{
    snprintf(path, size, "%s/%s.log", w->directory, names[member]);
}

/* ---- command lines ----------------------------------------------------------------------- */

struct line {
    char text[4096];
    size_t used;
    char *arguments[ARGUMENTS_MAX];
    int count;
};

__attribute__((format(printf, 2, 3))) static void add(struct line *l, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    int n = vsnprintf(l->text + l->used, sizeof l->text - l->used, format, list);
    va_end(list);
    if (n < 0 || l->count == ARGUMENTS_MAX - 1 || (size_t)n >= sizeof l->text - l->used)
        return;
    l->arguments[l->count++] = l->text + l->used;
    l->used += (size_t)n + 1;
}

static bool add_program(struct line *l, const char *part, const char *program)
{
    char path[2048];
    if (!find_program(path, sizeof path, part, program)) {
        fprintf(stderr, "weft demo: %s is not beside this program\n", program);
        return false;
    }
    add(l, "%s", path);
    return true;
}

static bool collector_line(const struct world *w, struct line *l)
{
    char page[2048];
    if (!add_program(l, "collector", "weft-collector"))
        return false;
    add(l, "--http=127.0.0.1:%u", w->ports[WORLD_COLLECTOR]);
    add(l, "--link=tcp://127.0.0.1:%u", w->link_port);
    add(l, "--control=tcp://127.0.0.1:%u", w->control_port);
    add(l, "--ledger-dir=%s/ledger", w->directory);
    if (beside_us(page, sizeof page, "../../../ui/dist") ||
        beside_us(page, sizeof page, "../share/weft/page"))
        add(l, "--page-dir=%s", page);
    return true;
}

/* The caches are found by rules, as programs are that somebody else started. */
static bool write_rules(const struct world *w, char *path, size_t size)
{
    snprintf(path, size, "%s/processes.yaml", w->directory);
    FILE *file = fopen(path, "w");
    if (!file)
        return false;
    fprintf(file,
            "- {executable: redis-server, port: %u, service: redis}\n"
            "- {executable: memcached, port: %u, service: memcached}\n",
            w->ports[WORLD_REDIS], w->ports[WORLD_MEMCACHED]);
    return fclose(file) == 0;
}

static bool agent_line(const struct world *w, struct line *l)
{
    char rules[128];
    if (!add_program(l, "agent", "weft-agent"))
        return false;
    if (write_rules(w, rules, sizeof rules))
        add(l, "--processes=%s", rules);
    add(l, "--directory=%s", w->slabs);
    add(l, "--agent=demo");
    add(l, "--collector=tcp://127.0.0.1:%u", w->link_port);
    add(l, "--control=tcp://127.0.0.1:%u", w->control_port);
    add(l, "--spool=%s/spool", w->directory);
    add(l, "--http=127.0.0.1:%u", w->ports[WORLD_AGENT]);
    return true;
}

static bool tap_line(const struct world *w, struct line *l)
{
    if (!add_program(l, "agent", "weft-tap"))
        return false;
    add(l, "--directory=%s", w->slabs);
    add(l, "--interfaces=lo");
    add(l, "--redis=%u", w->ports[WORLD_REDIS]);
    add(l, "--memcached=%u", w->ports[WORLD_MEMCACHED]);
    return true;
}

/* Where our plugin for collectd lies. */
static bool plugin_directory(char *path, size_t size)
{
    return beside_us(path, size, "../plugins/collectd") || beside_us(path, size, "../lib/collectd");
}

bool world_has_collectd(void)
{
    char plugin[2048];
    return plugin_directory(plugin, sizeof plugin) && world_collectd_is_there(plugin);
}

static bool collectd_line(const struct world *w, struct line *l)
{
    char plugin[2048], config[128];
    if (!plugin_directory(plugin, sizeof plugin) ||
        !world_collectd_configure(w->directory, w->slabs, plugin, config, sizeof config))
        return false;
    add(l, "%s", WORLD_COLLECTD_PROGRAM);
    add(l, "-f");
    add(l, "-C");
    add(l, "%s", config);
    return true;
}

static bool cell_line(const struct world *w, struct line *l, enum world_member member)
{
    if (!add_program(l, "demo", "weft-demo-cell"))
        return false;
    add(l, "%d", member - WORLD_CELL_1 + 1);
    add(l, "%u", w->ports[member]);
    add(l, "%u", w->ports[WORLD_FIREHOSE]);
    add(l, "%u", w->ports[WORLD_REDIS]);
    add(l, "%s/checkpoint-%d", w->directory, member - WORLD_CELL_1 + 1);
    return true;
}

static bool web_line(const struct world *w, struct line *l)
{
    if (!add_program(l, "demo", "weft-demo-web"))
        return false;
    add(l, "%u", w->ports[WORLD_WEB]);
    add(l, "%u", w->ports[WORLD_FIREHOSE]);
    add(l, "%u", w->ports[WORLD_MEMCACHED]);
    for (int i = 0; i < WORLD_CELLS; i++)
        add(l, "%u", w->ports[WORLD_CELL_1 + i]);
    return true;
}

static bool command_line(const struct world *w, enum world_member member, struct line *l)
{
    switch (member) {
    case WORLD_REDIS:
        add(l, "redis-server");
        add(l, "--port");
        add(l, "%u", w->ports[member]);
        add(l, "--bind");
        add(l, "127.0.0.1");
        add(l, "--save");
        add(l, "%s", "");
        add(l, "--dir");
        add(l, "%s", w->directory);
        return true;
    case WORLD_MEMCACHED:
        add(l, "memcached");
        add(l, "--listen=127.0.0.1");
        add(l, "--port=%u", w->ports[member]);
        add(l, "--udp-port=0");
        if (geteuid() == 0)
            add(l, "--user=nobody");
        return true;
    case WORLD_COLLECTOR:
        return collector_line(w, l);
    case WORLD_AGENT:
        return agent_line(w, l);
    case WORLD_TAP:
        return tap_line(w, l);
    case WORLD_COLLECTD:
        return collectd_line(w, l);
    case WORLD_FIREHOSE:
        if (!add_program(l, "demo", "weft-demo-firehose"))
            return false;
        add(l, "%u", w->ports[member]);
        add(l, "%u", w->ports[WORLD_MEMCACHED]);
        add(l, "%s/firehose.log", w->directory);
        return true;
    case WORLD_CELL_1:
    case WORLD_CELL_2:
        return cell_line(w, l, member);
    case WORLD_WEB:
        return web_line(w, l);
    case WORLD_LOAD:
        if (!add_program(l, "demo", "weft-demo-load"))
            return false;
        add(l, "%u", w->ports[WORLD_WEB]);
        add(l, "%g", w->rate);
        add(l, "0.1");
        add(l, "0");
        return true;
    default:
        return false;
    }
}

/* ---- children ---------------------------------------------------------------------------- */

static void set_identity(const struct world *w, enum world_member member)
{
    static const char *const services[WORLD_MEMBERS] = {[WORLD_FIREHOSE] = "firehose",
                                                        [WORLD_CELL_1] = "cell",
                                                        [WORLD_CELL_2] = "cell",
                                                        [WORLD_WEB] = "web"};
    char instance[32];
    unsetenv("WEFT_CELL");
    unsetenv("WEFT_OFF");
    unsetenv("DEMO_ONE_BY_ONE");
    if (!services[member])
        return;
    snprintf(instance, sizeof instance, "%s-0", names[member]);
    setenv("WEFT_DIR", w->slabs, 1);
    setenv("WEFT_SERVICE", services[member], 1);
    setenv("WEFT_VERSION", w->version, 1);
    setenv("WEFT_INSTANCE", instance, 1);
    if (member == WORLD_CELL_1 || member == WORLD_CELL_2)
        setenv("WEFT_CELL", member == WORLD_CELL_1 ? "c1" : "c2", 1);
    if (strcmp(w->version, WORLD_SLOWER_VERSION) == 0)
        setenv("DEMO_ONE_BY_ONE", "1", 1);
}

static void become(const struct world *w, enum world_member member, struct line *l, pid_t parent)
{
    char log[128];
    world_log_path(w, member, log, sizeof log);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    setpgid(0, 0); /* Ctrl-C is for us: we stop the others in order */
    signal(SIGPIPE, SIG_DFL);
    if (getppid() != parent)
        _exit(0);
    int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    int null = open("/dev/null", O_RDONLY);
    dup2(null, 0);
    dup2(fd, 1);
    dup2(fd, 2);
    set_identity(w, member);
    execvp(l->arguments[0], l->arguments);
    fprintf(stderr, "%s: %s\n", l->arguments[0], strerror(errno));
    _exit(127);
}

static void pause_ms(long ms)
{
    struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&pause, NULL);
}

static bool answers(uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool connected = connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
    close(fd);
    return connected;
}

/* The tap listens nowhere. */
static bool says_ready(const struct world *w)
{
    char path[128], line[512];
    bool ready = false;
    world_log_path(w, WORLD_TAP, path, sizeof path);
    FILE *file = fopen(path, "r");
    while (file && !ready && fgets(line, sizeof line, file))
        ready = strstr(line, "tapping") != NULL;
    if (file)
        fclose(file);
    return ready;
}

bool world_may_tap(void)
{
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static bool is_ready(const struct world *w, enum world_member member)
{
    return member == WORLD_LOAD || member == WORLD_COLLECTD ||
           (member == WORLD_TAP ? says_ready(w) : answers(w->ports[member]));
}

static void print_log(const struct world *w, enum world_member member)
{
    char path[128], line[512];
    world_log_path(w, member, path, sizeof path);
    FILE *file = fopen(path, "r");
    fprintf(stderr, "weft demo: %s has ended; it said:\n", names[member]);
    while (file && fgets(line, sizeof line, file))
        fprintf(stderr, "  %s", line);
    if (file)
        fclose(file);
}

static bool has_ended(struct world *w, enum world_member member)
{
    if (w->pids[member] && waitpid(w->pids[member], NULL, WNOHANG) == w->pids[member]) {
        w->pids[member] = 0;
        return true;
    }
    return false;
}

int world_start(struct world *w, enum world_member member)
{
    struct line line = {.used = 0};
    if (!command_line(w, member, &line))
        return -1;
    pid_t parent = getpid(), pid = fork();
    if (pid == 0)
        become(w, member, &line, parent);
    if (pid < 0) {
        fprintf(stderr, "weft demo: %s: %s\n", names[member], strerror(errno));
        return -1;
    }
    w->pids[member] = pid;
    for (int i = 0; i < 500; i++) {
        if (is_ready(w, member))
            return 0;
        if (has_ended(w, member))
            break;
        pause_ms(20);
    }
    print_log(w, member);
    return -1;
}

void world_kill(struct world *w, enum world_member member)
{
    if (!w->pids[member])
        return;
    kill(w->pids[member], SIGKILL);
    waitpid(w->pids[member], NULL, 0);
    w->pids[member] = 0;
}

void world_stop(struct world *w, enum world_member member)
{
    if (!w->pids[member])
        return;
    kill(w->pids[member], SIGTERM);
    for (int i = 0; i < 500; i++) {
        if (has_ended(w, member))
            return;
        pause_ms(20);
    }
    world_kill(w, member);
}

int world_find_dead(struct world *w)
{
    for (int i = 0; i < WORLD_MEMBERS; i++)
        if (has_ended(w, (enum world_member)i) && i != WORLD_COLLECTD) {
            print_log(w, (enum world_member)i);
            return i;
        }
    return -1;
}

/* ---- the end ----------------------------------------------------------------------------- */

static void remove_tree(const char *path)
{
    DIR *d = opendir(path);
    for (struct dirent *e; d && (e = readdir(d));) {
        char child[1024];
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        snprintf(child, sizeof child, "%s/%s", path, e->d_name);
        if (unlink(child) != 0)
            remove_tree(child);
    }
    if (d)
        closedir(d);
    rmdir(path);
}

void world_fini(struct world *w)
{
    /* Users first, the caches last: nobody fails on the way out. */
    for (int i = WORLD_MEMBERS; i-- > WORLD_FIREHOSE;)
        world_stop(w, (enum world_member)i);
    world_stop(w, WORLD_COLLECTD);
    world_stop(w, WORLD_TAP); /* as long as somebody takes what it has to tell */
    world_stop(w, WORLD_AGENT);
    world_stop(w, WORLD_COLLECTOR);
    world_stop(w, WORLD_MEMCACHED);
    world_stop(w, WORLD_REDIS);
    remove_tree(w->directory);
    remove_tree(w->slabs);
}
