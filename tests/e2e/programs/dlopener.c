// SPDX-License-Identifier: Apache-2.0
/* Loads a plugin, lets four threads record through it, unloads it while they live, and only then
 * lets them exit. Twice. Prints "done". */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { THREADS = 4 };

static pthread_barrier_t worked, unloaded;
static void (*plugin_work)(void);

static void *run(void *unused)
{
    plugin_work();
    pthread_barrier_wait(&worked);
    pthread_barrier_wait(&unloaded);
    return unused; /* the thread's destructors run after this */
}

static int round_trip(const char *path)
{
    pthread_t threads[THREADS];
    void *plugin = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    void *symbol = plugin ? dlsym(plugin, "plugin_work") : NULL;
    if (!symbol) {
        fprintf(stderr, "%s\n", dlerror());
        return -1;
    }
    memcpy(&plugin_work, &symbol, sizeof symbol);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, run, NULL);
    pthread_barrier_wait(&worked);
    int result = dlclose(plugin);
    pthread_barrier_wait(&unloaded);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    return result;
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    pthread_barrier_init(&worked, NULL, THREADS + 1);
    pthread_barrier_init(&unloaded, NULL, THREADS + 1);
    for (int i = 0; i < 2; i++)
        if (round_trip(argv[1]) != 0)
            return 1;
    puts("done");
    return 0;
}
