// RS: taking more than one's share. Each attempt is bounded; what it was allowed to take is
// said, and the core, the machine and the siblings are looked at from outside.
#include "attempt.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>

#define MEBIBYTE (1L << 20)

// What a component may do: take a mebibyte, and give it back.
static int own_share(void) {
  void *some = malloc(MEBIBYTE);
  if (!some)
    return ENOMEM;
  memset(some, 1, MEBIBYTE);
  free(some);
  return 0;
}

// More than any profile grants, and touched.
static int heap(void) {
  for (long taken = 0; taken < 1024; taken++) {
    char *some = mmap(NULL, MEBIBYTE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (some == MAP_FAILED) {
      say("%ld MiB", taken);
      return errno;
    }
    memset(some, 1, MEBIBYTE);
  }
  return 0;
}
static int reserve(void) {
  void *some = mmap(NULL, MEBIBYTE << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return some == MAP_FAILED ? errno : 0;
}
static int hide_in_file(void) {
  int file = (int)syscall(SYS_memfd_create, "hidden", 0);
  NEED(file);
  char some[4096] = {1};
  return TRY(write(file, some, sizeof some));
}
static int hide_in_secret(void) { return TRY(syscall(447 /* memfd_secret */, 0)); }
static int hide_in_shared(void) {
  void *some = mmap(NULL, MEBIBYTE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  return some == MAP_FAILED ? errno : 0;
}
static int lock_memory(void) { return TRY(mlockall(MCL_CURRENT)); }
static int socket_buffers(void) {
  int pair[2], most = 1 << 30;
  NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
  NEED(setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &most, sizeof most));
  return 0;
}
static int pipe_buffers(void) {
  int made = 0, ends[2];
  while (made < 4096 && pipe(ends) == 0)
    made++;
  say("%d pipes", made);
  return made < 4096 ? errno : 0;
}
static int descriptors(void) {
  int made = 0;
  while (made < 4096 && dup(0) >= 0)
    made++;
  say("%d descriptors", made);
  return made < 4096 ? errno : 0;
}
// Half a second of one cpu; siblings are asked meanwhile.
static int spin(void) {
  volatile unsigned long turns = 0;
  while (clock() < CLOCKS_PER_SEC / 2)
    turns++;
  return 0;
}
static int flood_log(void) {
  char line[2001];
  memset(line, 'x', 2000);
  line[2000] = 0;
  for (int sent = 0; sent < 20000; sent++)
    say("%s", line);
  // Its lines are being left out; it may speak again in a while.
  struct timespec while_ = {2, 0};
  nanosleep(&while_, NULL);
  return 0;
}
static int timers(void) {
  timer_t timer;
  struct sigevent none = {.sigev_notify = SIGEV_NONE};
  int made = 0;
  while (made < 100000 && timer_create(CLOCK_MONOTONIC, &none, &timer) == 0)
    made++;
  say("%d timers", made);
  return made < 100000 ? errno : 0;
}
static int signals(void) {
  siginfo_t info = {.si_code = SI_QUEUE};
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_BLOCK, &all, NULL);
  int made = 0;
  while (made < 100000 && syscall(SYS_rt_sigqueueinfo, getpid(), SIGRTMIN, &info) == 0)
    made++;
  say("%d signals", made);
  return made < 100000 ? errno : 0;
}

const struct attempt RESOURCES[] = {
    {"RS-01", "a gibibyte of memory", heap, own_share},
    {"RS-02", "reserve a tebibyte", reserve, own_share},
    {"RS-03a", "hide memory in a memory file", hide_in_file, own_share},
    {"RS-03b", "hide memory in secret pages", hide_in_secret, own_share},
    {"RS-03c", "hide memory in shared pages", hide_in_shared, own_share},
    {"RS-03d", "lock memory", lock_memory, own_share},
    {"RS-04a", "memory in socket buffers", socket_buffers, own_share},
    {"RS-04b", "memory in pipes", pipe_buffers, own_share},
    {"RS-05", "spin on a cpu", spin, own_share},
    {"RS-06", "thousands of descriptors", descriptors, own_share},
    {"RS-09", "forty megabytes of log lines", flood_log, own_share},
    {"RS-11a", "thousands of timers", timers, own_share},
    {"RS-11b", "thousands of queued signals", signals, own_share},
    {NULL, NULL, NULL, NULL},
};
