/*
 * tick US: wakes on every CPU each US microseconds.
 *
 * An emulated TLB keeps translations until the page tables change, so Accessed bits that the kernel
 * clears stay clear however often a page is used. Each wake of this process is a change of the page
 * tables and empties it. Without it every Accessed bit in the guest is a lie.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

static void wake_on(int cpu, long us) {
  cpu_set_t only;
  CPU_ZERO(&only);
  CPU_SET(cpu, &only);
  sched_setaffinity(0, sizeof only, &only);
  struct timespec pause = {us / 1000000, us % 1000000 * 1000};
  for (;;) nanosleep(&pause, NULL);
}

int main(int argc, char **argv) {
  long us = argc > 1 ? atol(argv[1]) : 1000;
  long cpus = sysconf(_SC_NPROCESSORS_ONLN);
  for (int cpu = 1; cpu < cpus; cpu++)
    if (fork() == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      wake_on(cpu, us);
    }
  wake_on(0, us);
}
