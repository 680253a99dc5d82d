/*
 * moveloop MB BATCH: moves MB of memory from node 1 to node 0 by move_pages, BATCH pages a call, and prints
 * pages a second: what a program without an engine around it reaches.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 4096, POLICY_DEFAULT = 0, POLICY_PREFERRED = 1, MOVE_OWN = 2 };

int main(int argc, char **argv) {
  size_t size = strtoul(argv[1], NULL, 10) << 20;
  size_t batch = strtoul(argv[2], NULL, 10);
  unsigned long slow = 1ul << 1;
  char *area = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  madvise(area, size, MADV_NOHUGEPAGE);
  syscall(SYS_mbind, area, size, POLICY_PREFERRED, &slow, 8 * sizeof slow, 0);
  for (size_t at = 0; at < size; at += PAGE) area[at] = 1;
  syscall(SYS_mbind, area, size, POLICY_DEFAULT, NULL, 0, 0);
  void **pages = malloc(batch * sizeof *pages);
  int *nodes = calloc(batch, sizeof *nodes), *status = calloc(batch, sizeof *status);
  struct timespec start, end;
  clock_gettime(CLOCK_MONOTONIC, &start);
  for (size_t at = 0; at < size; at += batch * PAGE) {
    size_t count = 0;
    for (; count < batch && at + count * PAGE < size; count++) pages[count] = area + at + count * PAGE;
    if (syscall(SYS_move_pages, 0, count, pages, nodes, status, MOVE_OWN) != 0) return 1;
  }
  clock_gettime(CLOCK_MONOTONIC, &end);
  double seconds = end.tv_sec - start.tv_sec + (end.tv_nsec - start.tv_nsec) / 1e9;
  printf("%.0f\n", size / PAGE / seconds);
  return 0;
}
