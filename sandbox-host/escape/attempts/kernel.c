// KR: the surface of the kernel.
#include "attempt.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>

#define CALL(name, ...)                                                        \
  static int name(void) { return TRY(syscall(__VA_ARGS__)); }

// What a component may do: take memory, give it back, and run threads.
static void *idle(void *nothing) { return nothing; }
static int own_memory(void) {
  void *page = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED)
    return errno;
  memset(page, 1, 1 << 20);
  NEED(munmap(page, 1 << 20));
  pthread_t thread;
  int refused = pthread_create(&thread, NULL, idle, NULL);
  return refused ? refused : pthread_join(thread, NULL);
}

static char zeros[256];

CALL(uring_setup, 425, 8, zeros)
CALL(uring_enter, 426, 0, 0, 0, 0, NULL)
CALL(uring_register, 427, 0, 0, NULL, 0)
CALL(bpf_map, SYS_bpf, 0, zeros, 48)
CALL(perf, SYS_perf_event_open, zeros, 0, -1, -1, 0)
CALL(userfault, SYS_userfaultfd, 0)
CALL(new_kernel, SYS_kexec_load, 0, 0, NULL, 0)
CALL(module, SYS_init_module, zeros, 0, "")
CALL(restart, SYS_reboot, 0, 0, 0, NULL)
CALL(swap, SYS_swapon, "/none", 0)
CALL(accounting, SYS_acct, NULL)
CALL(quota, SYS_quotactl, 0, NULL, 0, NULL)
CALL(kernel_log, SYS_syslog, 10, NULL, 0)
CALL(adjust_clock, SYS_adjtimex, zeros)
CALL(name_host, SYS_sethostname, "taken", 5)
CALL(add_key, SYS_add_key, "user", "hyperty-escape", "x", 1, -3 /* the session's ring */)
CALL(ask_key, SYS_request_key, "user", "hyperty-escape", NULL, -3)
CALL(list_keys, SYS_keyctl, 0 /* KEYCTL_GET_KEYRING_ID */, -3, 0)
CALL(new_user_world, SYS_unshare, CLONE_NEWUSER)
CALL(new_net_world, SYS_unshare, CLONE_NEWNET)
CALL(enter_world, SYS_setns, 0, 0)
CALL(clone_world, SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0)
CALL(above_the_table, 9999)
CALL(unknown_call, 4000, 1, 2, 3)
CALL(shared_segment, SYS_shmget, 0x68797000, 4096, 01600)
CALL(semaphores, SYS_semget, 0x68797000, 1, 01600)
CALL(message_queue, SYS_msgget, 0x68797000, 01600)
CALL(posix_queue, SYS_mq_open, "hyperty-escape", O_CREAT | O_RDWR, 0600, NULL)

static int set_clock(void) {
  struct timespec then = {0, 0};
  return TRY(syscall(SYS_clock_settime, CLOCK_REALTIME, &then));
}
static int clone3_world(void) {
  unsigned long arguments[11] = {CLONE_NEWUSER, 0, 0, 0, SIGCHLD};
  return TRY(syscall(435, arguments, sizeof arguments));
}

// A program that is in memory only: the smallest that the kernel takes, which ends with 0.
static const unsigned char PROGRAM[] = {
    0x7f, 'E', 'L', 'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 64 bits, little-endian
    2, 0, 62, 0, 1, 0, 0, 0, 0x78, 0, 0x40, 0, 0, 0, 0, 0,   // x86-64, starts at 0x400078
    64, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,         // program header at 64
    0, 0, 0, 0, 64, 0, 56, 0, 1, 0, 0, 0, 0, 0, 0, 0,        // one of them
    1, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,          // load, read and execute
    0, 0, 0x40, 0, 0, 0, 0, 0, 0, 0, 0x40, 0, 0, 0, 0, 0,    // at 0x400000
    0x81, 0, 0, 0, 0, 0, 0, 0, 0x81, 0, 0, 0, 0, 0, 0, 0,    // this long
    0, 0x10, 0, 0, 0, 0, 0, 0,                               // aligned to a page
    0x31, 0xff, 0xb8, 60, 0, 0, 0, 0x0f, 0x05,               // exit(0)
};
static int program_in_memory(void) {
  int file = (int)syscall(SYS_memfd_create, "program", 0);
  NEED(file);
  NEED(write(file, PROGRAM, sizeof PROGRAM));
  char *words[] = {"program", NULL}, *none[] = {NULL};
  return TRY(syscall(SYS_execveat, file, "", words, none, AT_EMPTY_PATH));
}
static int execute(void) {
  char *words[] = {"true", NULL}, *none[] = {NULL};
  return TRY(execve("/bin/true", words, none));
}
static int execute_itself(void) {
  char *words[] = {"again", NULL}, *none[] = {NULL};
  return TRY(syscall(SYS_execveat, 64, "", words, none, AT_EMPTY_PATH));
}

static int write_and_execute(void) {
  void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return page == MAP_FAILED ? errno : 0;
}
static int write_then_execute(void) {
  void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED)
    return errno;
  return TRY(mprotect(page, 4096, PROT_READ | PROT_EXEC));
}
static int key_protect(void) {
  void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return TRY(syscall(SYS_pkey_mprotect, page, 4096, PROT_READ | PROT_EXEC, -1));
}
static int read_implies_execute(void) { return TRY(personality(READ_IMPLIES_EXEC)); }

#ifdef __x86_64__
static int old_gate(void) {
  long got;
  __asm__ volatile("int $0x80" : "=a"(got) : "0"(20) /* getpid of 32 bits */ : "memory");
  return got > 0 ? 0 : (int)-got;
}
CALL(x32, 0x40000000 | 39)
CALL(descriptor_table, SYS_modify_ldt, 0, NULL, 0)
CALL(ports, SYS_iopl, 3)
#endif

static int blind_audit(void) {
  struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  struct sock_fprog program = {1, &allow};
  return TRY(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 1 << 3 /* NEW_LISTENER */, &program));
}
static int type_for_the_terminal(void) {
  char letter = 'x';
  return TRY(ioctl(0, TIOCSTI, &letter));
}
static int take_terminal(void) { return TRY(ioctl(1, TIOCSCTTY, 1)); }
static int open_device(void) { return TRY(open("/dev/kmsg", O_RDONLY)); }
static int open_shared_memory(void) { return TRY(open("/dev/shm", O_RDONLY | O_DIRECTORY)); }
static int open_system(void) { return TRY(open("/sys/kernel", O_RDONLY | O_DIRECTORY)); }
static int another_layer(void) { return TRY(syscall(444, NULL, 0, 1)); }
static int raise_limit(void) {
  struct rlimit more = {4096, 4096};
  return TRY(setrlimit(RLIMIT_NOFILE, &more));
}
const struct attempt KERNEL[] = {
    {"KR-01a", "set up io_uring", uring_setup, own_memory},
    {"KR-01b", "enter io_uring", uring_enter, own_memory},
    {"KR-01c", "register with io_uring", uring_register, own_memory},
    {"KR-02a", "make a BPF map", bpf_map, own_memory},
    {"KR-02b", "open a performance event", perf, own_memory},
    {"KR-02c", "handle page faults", userfault, own_memory},
    {"KR-02d", "load another kernel", new_kernel, own_memory},
    {"KR-02e", "load a kernel module", module, own_memory},
    {"KR-02f", "restart the machine", restart, own_memory},
    {"KR-02g", "add swap space", swap, own_memory},
    {"KR-02h", "switch accounting", accounting, own_memory},
    {"KR-02i", "change quotas", quota, own_memory},
    {"KR-02j", "read the kernel's log", kernel_log, own_memory},
    {"KR-02k", "set the clock", set_clock, own_memory},
    {"KR-02l", "adjust the clock", adjust_clock, own_memory},
    {"KR-02m", "rename the host", name_host, own_memory},
    {"KR-03a", "add a key to the user's ring", add_key, own_memory},
    {"KR-03b", "ask for a key", ask_key, own_memory},
    {"KR-03c", "find the user's ring", list_keys, own_memory},
    {"KR-04a", "a user namespace of its own", new_user_world, own_memory},
    {"KR-04b", "a network namespace of its own", new_net_world, own_memory},
    {"KR-04c", "enter a namespace", enter_world, own_memory},
    {"KR-04d", "clone into a user namespace", clone_world, own_memory},
    {"KR-05", "clone3 into a user namespace", clone3_world, own_memory},
    {"KR-06", "execute a program in memory", program_in_memory, own_memory},
    {"KR-07a", "execute a program", execute, own_memory},
    {"KR-07b", "execute its own program again", execute_itself, own_memory},
    {"KR-08a", "map a page to write and execute", write_and_execute, own_memory},
    {"KR-08b", "write a page, then make it executable", write_then_execute, own_memory},
    {"KR-08c", "the same by pkey_mprotect", key_protect, own_memory},
    {"KR-08d", "make everything readable executable", read_implies_execute, own_memory},
#ifdef __x86_64__
    {"KR-09a", "a call through int 0x80", old_gate, own_memory},
    {"KR-09b", "a call of the x32 table", x32, own_memory},
    {"KR-09c", "change the descriptor table", descriptor_table, own_memory},
    {"KR-09d", "open the ports", ports, own_memory},
#endif
    {"KR-10a", "a call above the table", above_the_table, own_memory},
    {"KR-10b", "a call that nobody knows", unknown_call, own_memory},
    {"KR-11", "a filter of its own that listens", blind_audit, own_memory},
    {"KR-13a", "type into a terminal", type_for_the_terminal, own_memory},
    {"KR-13b", "take a terminal", take_terminal, own_memory},
    {"KR-14a", "open a device", open_device, own_memory},
    {"KR-14b", "open /dev/shm", open_shared_memory, own_memory},
    {"KR-14c", "open /sys", open_system, own_memory},
    {"KR-15a", "a shared segment by name", shared_segment, own_memory},
    {"KR-15b", "semaphores by name", semaphores, own_memory},
    {"KR-15c", "a message queue by name", message_queue, own_memory},
    {"KR-15d", "a POSIX message queue", posix_queue, own_memory},
    {"KR-16", "one more Landlock layer", another_layer, own_memory},
    {"KR-17", "raise a limit", raise_limit, own_memory},
    {NULL, NULL, NULL, NULL},
};
