// PR: other processes, and one's own.
#include "attempt.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <sys/wait.h>

// Two victims: the process that stands in for a sibling, and the core.
static pid_t victim(void) { return (pid_t)number("process"); }
static pid_t core(void) { return (pid_t)number("core"); }

// What a component may do: know itself, and run threads.
static void *idle(void *nothing) { return nothing; }
static int own_process(void) {
  pthread_t thread;
  struct rlimit limit;
  NEED(getrlimit(RLIMIT_NOFILE, &limit));
  int refused = pthread_create(&thread, NULL, idle, NULL);
  return refused ? refused : pthread_join(thread, NULL);
}

static int open_proc(pid_t pid, const char *file) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/%s", pid, file);
  return TRY(open(path, O_RDONLY));
}
static int core_memory(void) { return open_proc(core(), "mem"); }
static int core_environment(void) { return open_proc(core(), "environ"); }
static int core_maps(void) { return open_proc(core(), "maps"); }
static int core_status(void) { return open_proc(core(), "status"); }
static int core_descriptors(void) { return open_proc(core(), "fd"); }

static int exists_by_kill(void) { return TRY(kill(core(), 0)); }

static int attach_core(void) { return TRY(ptrace(PTRACE_ATTACH, core(), 0, 0)); }
static int attach_victim(void) { return TRY(ptrace(PTRACE_SEIZE, victim(), 0, 0)); }

static int read_memory(void) {
  char bytes[8];
  struct iovec here = {bytes, sizeof bytes}, there = {(void *)number("at"), sizeof bytes};
  return TRY(syscall(SYS_process_vm_readv, victim(), &here, 1, &there, 1, 0));
}
static int write_memory(void) {
  char bytes[8] = "written";
  struct iovec here = {bytes, sizeof bytes}, there = {(void *)number("at"), sizeof bytes};
  return TRY(syscall(SYS_process_vm_writev, victim(), &here, 1, &there, 1, 0));
}
static int compare(void) { return TRY(syscall(SYS_kcmp, core(), victim(), 0, 0, 0)); }

static int take_descriptor(void) {
  int process = (int)syscall(434 /* pidfd_open */, core(), 0);
  NEED(process);
  return TRY(syscall(438 /* pidfd_getfd */, process, 0, 0));
}

static int end_victim(void) { return TRY(kill(victim(), SIGKILL)); }
static int end_core(void) { return TRY(kill(core(), SIGKILL)); }
static int stop_victim(void) { return TRY(kill(victim(), SIGSTOP)); }
static int signal_thread(void) { return TRY(syscall(SYS_tgkill, victim(), victim(), SIGTERM)); }
static int signal_queue(void) {
  siginfo_t info = {.si_code = SI_QUEUE};
  return TRY(syscall(SYS_rt_sigqueueinfo, victim(), SIGTERM, &info));
}
static int signal_by_pidfd(void) {
  int process = (int)syscall(434, victim(), 0);
  NEED(process);
  return TRY(syscall(424 /* pidfd_send_signal */, process, SIGTERM, NULL, 0));
}
static int signal_by_owner(void) { return TRY(fcntl(0, F_SETOWN, victim())); }

static int limit_core(void) {
  struct rlimit none = {0, 0};
  return TRY(prlimit(core(), RLIMIT_CORE, &none, NULL));
}
static int limit_victim(void) {
  struct rlimit none = {3, 3};
  return TRY(prlimit(victim(), RLIMIT_NOFILE, &none, NULL));
}
static int renice_core(void) { return TRY(setpriority(PRIO_PROCESS, (id_t)core(), 19)); }
static int renice_victim(void) { return TRY(setpriority(PRIO_PROCESS, (id_t)victim(), 19)); }
static int pin_victim(void) {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(0, &one);
  return TRY(sched_setaffinity(victim(), sizeof one, &one));
}
static int idle_victim(void) {
  struct sched_param none = {0};
  return TRY(sched_setscheduler(victim(), SCHED_IDLE, &none));
}
static int slow_disk(void) { return TRY(syscall(SYS_ioprio_set, 1, victim(), 3 << 13)); }

// Two forks, a session of its own, no death with the parent: a daemon that would outlive the stop.
static int outlive(void) {
  pid_t first = fork();
  NEED(first);
  if (first > 0)
    return 0;
  // By this name it is looked for from outside.
  prctl(PR_SET_NAME, text("mark"), 0, 0, 0);
  prctl(PR_SET_PDEATHSIG, 0);
  setsid();
  if (fork() != 0)
    _exit(0);
  for (;;)
    pause();
}
static int fork_bomb(void) {
  int made = 0;
  while (made < 64) {
    pid_t child = fork();
    if (child < 0)
      return errno;
    if (child == 0) {
      prctl(PR_SET_NAME, text("mark"), 0, 0, 0);
      for (;;)
        pause();
    }
    made++;
  }
  return 0;
}
static int thread_bomb(void) {
  pthread_attr_t small;
  pthread_attr_init(&small);
  pthread_attr_setstacksize(&small, 65536);
  for (int made = 0; made < 20000; made++) {
    pthread_t thread;
    int refused = pthread_create(&thread, &small, (void *(*)(void *))(void *)pause, NULL);
    if (refused) {
      say("%d threads", made);
      return refused;
    }
  }
  return 0;
}

static int dumpable(void) { return TRY(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)); }
static int subreaper(void) { return TRY(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)); }
static int crash(void) {
  raise(SIGSEGV);
  return 0;
}
// The name is its own; whose process it is, is not.
static int take_a_name(void) { return TRY(prctl(PR_SET_NAME, "core-supervisor", 0, 0, 0)); }

// Eight threads that stay, to be looked at from outside; one of them tries what none may.
static void *reach(void *out) {
  *(int *)out = open("/etc/passwd", O_RDONLY) < 0 ? errno : 0;
  return NULL;
}
static int from_a_thread(void) {
  pthread_t thread;
  int refused = 0, begun = pthread_create(&thread, NULL, reach, &refused);
  if (begun)
    return begun;
  pthread_join(thread, NULL);
  return refused;
}
static pthread_mutex_t never = PTHREAD_MUTEX_INITIALIZER;
static void *stay(void *nothing) {
  pthread_mutex_lock(&never);
  return nothing;
}
static int keep_threads(void) {
  pthread_t thread;
  pthread_mutex_lock(&never);
  for (int made = 0; made < 8; made++) {
    int refused = pthread_create(&thread, NULL, stay, NULL);
    if (refused)
      return refused;
  }
  say("threads");
  return 0;
}

const struct attempt PROCESSES[] = {
    {"threads", "keep threads", keep_threads, NULL},
    {"KR-12b", "reach out from another thread", from_a_thread, own_process},
    {"PR-01a", "open the core's memory", core_memory, own_process},
    {"PR-01b", "read the core's environment", core_environment, own_process},
    {"PR-01c", "read the core's memory map", core_maps, own_process},
    {"PR-01d", "read the core's status", core_status, own_process},
    {"PR-01e", "list the core's descriptors", core_descriptors, own_process},
    {"PR-02", "learn by kill(pid, 0) whether the core runs", exists_by_kill, own_process},
    {"PR-03a", "trace the core", attach_core, own_process},
    {"PR-03b", "trace another process", attach_victim, own_process},
    {"PR-04a", "read another's memory", read_memory, own_process},
    {"PR-04b", "write another's memory", write_memory, own_process},
    {"PR-04c", "compare two processes", compare, own_process},
    {"PR-05", "take a descriptor of the core", take_descriptor, own_process},
    {"PR-06a", "kill another process", end_victim, own_process},
    {"PR-06b", "kill the core", end_core, own_process},
    {"PR-06c", "stop another process", stop_victim, own_process},
    {"PR-06d", "signal a thread", signal_thread, own_process},
    {"PR-06e", "signal by rt_sigqueueinfo", signal_queue, own_process},
    {"PR-06f", "signal by a pidfd", signal_by_pidfd, own_process},
    {"PR-06g", "signal by F_SETOWN", signal_by_owner, own_process},
    {"PR-07a", "limit the core", limit_core, own_process},
    {"PR-07b", "limit another process", limit_victim, own_process},
    {"PR-08a", "slow the core down", renice_core, own_process},
    {"PR-08b", "slow another process down", renice_victim, own_process},
    {"PR-08c", "pin another process to one cpu", pin_victim, own_process},
    {"PR-08d", "make another process idle", idle_victim, own_process},
    {"PR-08e", "slow another's disk", slow_disk, own_process},
    {"PR-09a", "leave a process behind", outlive, own_process},
    {"PR-09b", "become the reaper of orphans", subreaper, own_process},
    {"PR-10a", "fork without end", fork_bomb, own_process},
    {"PR-10b", "start threads without end", thread_bomb, own_process},
    {"PR-11a", "become dumpable", dumpable, own_process},
    {"PR-11b", "crash, to leave a core file", crash, own_process},
    {"PR-13", "take the core's name", take_a_name, own_process},
    {NULL, NULL, NULL, NULL},
};
