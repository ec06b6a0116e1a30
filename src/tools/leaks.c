/* Looking for what was left behind: see leaks.h. */
#include "leaks.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "core/periodic.h"
#include "gen/room.h"
#include "tornado/gen.h"

static size_t length(const tn__list *list)
{
    size_t n = 0;
    for (const tn__list *at = list->next; at != list; at = at->next) n++;
    return n;
}

/* Periodics that somebody could have stopped. */
static size_t periodics_of(const tn_loop *loop, size_t *all)
{
    size_t n = 0;
    *all = 0;
    for (const tn__list *at = loop->periodics.next; at != &loop->periodics; at = at->next, ++*all)
        if (!TN__OWNER(at, tn_periodic, node)->detached) n++;
    return n;
}

static size_t say(FILE *out, size_t n, const char *what)
{
    if (n) fprintf(out, "left behind: %zu %s\n", n, what);
    return n;
}

size_t tn__leaks_of_loop(tn_loop *loop, FILE *out)
{
    const tn__gen *gen = loop->rooms[TN__ROOM_GEN].state;
    size_t tasks = gen ? length(&gen->tasks) + length(&gen->spawns) : 0, futures = gen ? length(&gen->futures) : 0;
    if (say(out, tasks, "coroutines that have not ended")) tn_loop_dump(out);
    say(out, futures, "futures that are pending");

    size_t all, periodics = periodics_of(loop, &all), timeouts = loop->timers.n - all;
    /* What waits has timers of its own: they are no further finding. */
    if (tasks || futures) timeouts = 0;
    say(out, periodics, "periodic calls");
    say(out, timeouts, "timeouts");
    return tasks + futures + periodics + timeouts;
}

/* -- Descriptors -- */

static bool is_set(const tn__open_fds *fds, int fd)
{
    return fds->bits[fd / 8] >> fd % 8 & 1;
}

void tn__open_fds_now(tn__open_fds *now)
{
    memset(now, 0, sizeof *now);
    DIR *folder = opendir("/dev/fd"); /* every system that we know has it */
    if (!folder) return;
    for (struct dirent *entry; (entry = readdir(folder));) {
        int fd = atoi(entry->d_name);
        if (entry->d_name[0] != '.' && fd != dirfd(folder) && fd < (int)sizeof now->bits * 8)
            now->bits[fd / 8] |= (unsigned char)(1 << fd % 8);
    }
    closedir(folder);
}

size_t tn__leaks_of_fds(const tn__open_fds *before, FILE *out)
{
    tn__open_fds now;
    size_t n = 0;
    tn__open_fds_now(&now);
    for (int fd = 0; fd < (int)sizeof now.bits * 8; fd++) {
        if (!is_set(&now, fd) || is_set(before, fd)) continue;
        fprintf(out, "left behind: descriptor %d\n", fd);
        n++;
    }
    return n;
}
