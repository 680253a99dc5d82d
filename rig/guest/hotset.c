/*
 * hotset: memory with a known hot part, as key=value arguments:
 *   mb=64            size of the area
 *   hot=25-50        hot part in percent of it, read once a pass
 *   node=1           node to fill it on (preferred while it is filled, no policy afterwards)
 *   bind=1           bind the area to `node` for good, with hint faults left on, so that the kernel
 *                    itself never migrates what they show
 *   thp=1            huge pages (default: none)
 *   pause=1000       microseconds between two passes
 *   lock=1           pin the hot part by a read-only pipe splice: pages that cannot move
 *   live=SECONDS     end after that time
 *
 * Prints "HOTSET pid start end hotStart hotEnd" once filled. The hot part is a mapping of its own
 * (MADV_DONTFORK makes it differ), so that /proc/PID/numa_maps counts its pages apart.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 4096, POLICY_DEFAULT = 0, POLICY_PREFERRED = 1, POLICY_BIND = 2, FLAG_NUMA_BALANCING = 1 << 13 };
#define HUGE_PAGE (2ul << 20)

static const char *option(int argc, char **argv, const char *key, const char *otherwise) {
  size_t length = strlen(key);
  for (int i = 1; i < argc; i++)
    if (!strncmp(argv[i], key, length) && argv[i][length] == '=') return argv[i] + length + 1;
  return otherwise;
}

static void fail(const char *what) {
  perror(what);
  exit(1);
}

/* Takes references on pages, as direct I/O does: they cannot be migrated while the pipe holds them. */
static void pin(char *from, char *to) {
  int ends[2];
  if (pipe(ends)) fail("pipe");
  fcntl(ends[1], F_SETPIPE_SZ, 1 << 20);
  long room = fcntl(ends[1], F_GETPIPE_SZ) / PAGE;
  for (char *page = from; page < to && room-- > 0; page += PAGE) {
    struct iovec one = {page, PAGE};
    if (vmsplice(ends[1], &one, 1, 0) < 0) fail("vmsplice");
  }
}

int main(int argc, char **argv) {
  size_t size = strtoul(option(argc, argv, "mb", "64"), NULL, 10) << 20;
  int fromPercent = 0, toPercent = 25;
  sscanf(option(argc, argv, "hot", "0-25"), "%d-%d", &fromPercent, &toPercent);
  int node = atoi(option(argc, argv, "node", "-1"));
  long pause = atol(option(argc, argv, "pause", "1000"));
  long live = atol(option(argc, argv, "live", "0"));
  int isHuge = atoi(option(argc, argv, "thp", "0"));

  char *raw = mmap(NULL, size + HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (raw == MAP_FAILED) fail("mmap");
  char *start = (char *)(((unsigned long)raw + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1));
  char *hotStart = start + (size * fromPercent / 100 & ~(HUGE_PAGE - 1));
  char *hotEnd = start + (toPercent == 100 ? size : size * toPercent / 100 & ~(HUGE_PAGE - 1));
  madvise(start, size, isHuge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
  if (hotEnd > hotStart) madvise(hotStart, hotEnd - hotStart, MADV_DONTFORK);
  unsigned long mask = node >= 0 ? 1ul << node : 0;
  if (node >= 0 && syscall(SYS_mbind, start, size, POLICY_PREFERRED, &mask, 8 * sizeof mask, 0)) fail("mbind");
  for (size_t at = 0; at < size; at += PAGE) start[at] = 1;
  if (node >= 0) syscall(SYS_mbind, start, size, POLICY_DEFAULT, NULL, 0, 0);
  if (atoi(option(argc, argv, "bind", "0"))) {
    if (syscall(SYS_set_mempolicy, POLICY_BIND | FLAG_NUMA_BALANCING, &mask, 8 * sizeof mask)) fail("set_mempolicy");
  }
  if (atoi(option(argc, argv, "lock", "0"))) pin(hotStart, hotEnd);
  printf("HOTSET %d %lx %lx %lx %lx\n", getpid(), (unsigned long)start, (unsigned long)start + size,
         (unsigned long)hotStart, (unsigned long)hotEnd);
  fflush(stdout);

  time_t end = live > 0 ? time(NULL) + live : 0;
  struct timespec rest = {pause / 1000000, pause % 1000000 * 1000};
  for (volatile char sum = 0; end == 0 || time(NULL) < end;) {
    for (char *at = hotStart; at < hotEnd; at += PAGE) sum += *at;
    nanosleep(&rest, NULL);
  }
  return 0;
}
