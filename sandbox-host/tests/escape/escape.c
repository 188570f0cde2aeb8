/*
 * hyperty-escape: a hostile native component.
 *
 * It runs the act that its argv[0] names ("ACT VICTIM-FILE VICTIM-PID") and
 * writes to its link what came of it: "done", the name of the error, or nothing
 * when it was killed. In C, because a hostile component is not bound by the rules
 * of a safe language, and because that shows that any language will do.
 *
 * With the lock off, acts do what they say: the arguments are chosen so that
 * they harm nobody but the victim.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#endif
#ifndef SYS_process_madvise
#define SYS_process_madvise 440
#endif

static const char *victim;
static pid_t prey;

/* A new name next to the victim. */
static const char *beside(const char *suffix) {
    static char name[512];
    snprintf(name, sizeof name, "%s%s", victim, suffix);
    return name;
}

#define S syscall
#define ACT(name, expression) \
    static long name(void) { return (long)(expression); }

/* Files and names */
ACT(read_file, S(SYS_openat, AT_FDCWD, victim, O_RDONLY, 0))
ACT(empty_file, S(SYS_openat, AT_FDCWD, victim, O_RDONLY | O_TRUNC, 0))
ACT(write_file, S(SYS_openat, AT_FDCWD, victim, O_WRONLY | O_APPEND, 0))
ACT(open2_file, S(SYS_openat2, AT_FDCWD, victim, &(uint64_t[3]){0, 0, 0}, 24))
ACT(cut_file, S(SYS_truncate, victim, 0L))
ACT(make_fifo, S(SYS_mknodat, AT_FDCWD, beside(".fifo"), S_IFIFO | 0600, 0))
ACT(make_symlink, S(SYS_symlinkat, victim, AT_FDCWD, beside(".symlink")))
ACT(make_dir, S(SYS_mkdirat, AT_FDCWD, beside(".dir"), 0700))
ACT(link_file, S(SYS_linkat, AT_FDCWD, victim, AT_FDCWD, beside(".link"), 0))
ACT(rename_file, S(SYS_renameat2, AT_FDCWD, victim, AT_FDCWD, beside(".name"), 0))
ACT(unlink_file, S(SYS_unlinkat, AT_FDCWD, victim, 0))
ACT(chmod_file, S(SYS_fchmodat, AT_FDCWD, victim, 0777))
ACT(chmod2_file, S(SYS_fchmodat2, AT_FDCWD, victim, 0777, 0))
ACT(chown_file, S(SYS_fchownat, AT_FDCWD, victim, 1, 1, 0))
ACT(fchmod_link, S(SYS_fchmod, 1, 0666))
ACT(touch_file, S(SYS_utimensat, AT_FDCWD, victim, NULL, 0))
ACT(xattr_file, S(SYS_setxattr, victim, "user.escape", "1", 1, 0))
ACT(fxattr_file, S(SYS_fsetxattr, 1, "trusted.escape", "1", 1, 0))
ACT(stat_file, S(SYS_newfstatat, AT_FDCWD, victim, &(struct stat){0}, 0))
ACT(statx_file, S(SYS_statx, AT_FDCWD, victim, 0, 0x7ff, (char[256]){0}))
ACT(access_file, S(SYS_faccessat, AT_FDCWD, victim, F_OK))
ACT(read_link, S(SYS_readlinkat, AT_FDCWD, "/proc/self/exe", (char[64]){0}, 64))
ACT(stat_fs, S(SYS_statfs, "/", (char[256]){0}))
ACT(watch_files, S(SYS_inotify_init1, 0))
ACT(watch_all, S(SYS_fanotify_init, 0, 0))
ACT(change_dir, S(SYS_chdir, "/"))
ACT(handle_file, S(SYS_name_to_handle_at, AT_FDCWD, victim, &(int[34]){128}, &(int){0}, 0))
ACT(by_handle, S(SYS_open_by_handle_at, AT_FDCWD, &(int[34]){128}, 0))
ACT(own_image, S(SYS_openat, AT_FDCWD, "/proc/self/exe", O_RDONLY, 0))
ACT(mount_it, S(SYS_mount, "none", "/nowhere", "tmpfs", 0L, NULL))
ACT(umount_it, S(SYS_umount2, "/nowhere", 0))
ACT(pivot_it, S(SYS_pivot_root, "/nowhere", "/nowhere"))
ACT(chroot_it, S(SYS_chroot, "/nowhere"))
ACT(fsopen_it, S(SYS_fsopen, "nothing", 0))
ACT(open_tree_it, S(SYS_open_tree, AT_FDCWD, "/nowhere", 0))
ACT(temp_file, S(SYS_openat, AT_FDCWD, "/tmp", O_TMPFILE | O_RDWR, 0600))

/* Processes and signals */
ACT(read_memory_file, S(SYS_openat, AT_FDCWD, "/proc/1/status", O_RDONLY, 0))
ACT(find_process, S(SYS_kill, prey, 0))
ACT(trace_process, S(SYS_ptrace, PTRACE_SEIZE, prey, 0L, 0L))
ACT(read_process, S(SYS_process_vm_readv, prey, &(struct iovec){0}, 1L, &(struct iovec){0}, 1L, 0L))
ACT(write_process, S(SYS_process_vm_writev, prey, &(struct iovec){0}, 1L, &(struct iovec){0}, 1L, 0L))
ACT(advise_process, S(SYS_process_madvise, -1, NULL, 0L, 21, 0))
ACT(compare_process, S(SYS_kcmp, prey, prey, 0, 0L, 0L))
ACT(hold_process, S(SYS_pidfd_open, prey, 0))
ACT(kill_process, S(SYS_kill, prey, SIGUSR1))
ACT(kill_all, S(SYS_kill, -1, 0))
ACT(kill_thread, S(SYS_tkill, prey, SIGUSR1))
ACT(kill_group, S(SYS_tgkill, prey, prey, SIGUSR1))
ACT(queue_signal, S(SYS_rt_sigqueueinfo, prey, SIGUSR1, &(siginfo_t){.si_code = SI_QUEUE}))
ACT(own_signal, S(SYS_fcntl, 0, F_SETOWN, prey))
ACT(limit_process, S(SYS_prlimit64, prey, RLIMIT_CORE, &(struct rlimit){0, 0}, NULL))
ACT(renice_process, S(SYS_setpriority, PRIO_PROCESS, prey, 19))
ACT(bind_process, S(SYS_sched_setaffinity, prey, 8L, &(long){1}))
ACT(idle_process, S(SYS_sched_setscheduler, prey, SCHED_IDLE, &(struct sched_param){0}))
ACT(ionice_process, S(SYS_ioprio_set, 1, prey, 3 << 13))
static long start(long flags) {
    long pid = S(SYS_clone, flags | SIGCHLD, 0L, 0L, 0L, 0L);
    if (pid == 0) _exit(0);
    if (pid > 0) waitpid(pid, NULL, 0);
    return pid;
}
ACT(fork_it, start(0))
ACT(outlive_parent, S(SYS_prctl, PR_SET_PDEATHSIG, 0L, 0L, 0L, 0L))
ACT(adopt, S(SYS_prctl, PR_SET_CHILD_SUBREAPER, 1L, 0L, 0L, 0L))
ACT(dump_me, S(SYS_prctl, PR_SET_DUMPABLE, 1L, 0L, 0L, 0L))

/* Kernel surface */
ACT(ring, S(SYS_io_uring_setup, 1, (char[120]){0}))
ACT(bpf_it, S(SYS_bpf, 0, NULL, 0))
ACT(perf_it, S(SYS_perf_event_open, NULL, 0, 0, 0, 0L))
ACT(fault_it, S(SYS_userfaultfd, 0))
ACT(load_module, S(SYS_init_module, NULL, 0L, ""))
ACT(reboot_it, S(SYS_reboot, 0, 0, 0, NULL))
ACT(kexec_it, S(SYS_kexec_load, 0L, 99L, NULL, ~0L))
ACT(swap_on, S(SYS_swapon, "/nowhere", 0))
ACT(account, S(SYS_acct, "/nowhere"))
ACT(read_log, S(SYS_syslog, 10, NULL, 0))
ACT(set_clock, S(SYS_clock_settime, 99, NULL))
ACT(enter_namespace, S(SYS_setns, -1, 0))
ACT(add_key, S(SYS_add_key, "user", "escape", "1", 1L, -4))
ACT(key_control, S(SYS_keyctl, 0, -4, 1, 0, 0))
ACT(new_user_namespace, S(SYS_unshare, CLONE_NEWUSER))
ACT(new_mounts, S(SYS_unshare, CLONE_NEWNS))
ACT(clone_namespace, start(CLONE_NEWUTS))
ACT(clone_three, S(SYS_clone3, &(uint64_t[8]){CLONE_NEWUSER, 0, 0, 0, 99}, 64L))
ACT(memory_file, S(SYS_memfd_create, "x", 0))
ACT(execute_link, S(SYS_execveat, 0, "", NULL, NULL, AT_EMPTY_PATH))
ACT(execute_again, S(SYS_execveat, 64, "", NULL, NULL, AT_EMPTY_PATH))
ACT(execute_by_name, S(SYS_execveat, 64, "/bin/true", (char *[]){"true", NULL}, NULL, AT_EMPTY_PATH))
ACT(execute_file, S(SYS_execve, "/nowhere", NULL, NULL))
ACT(map_executable, mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))
ACT(map_shared, mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))
ACT(map_shared_file, mmap(NULL, 4096, PROT_READ, MAP_SHARED, 1, 0)) /* of /dev/null: ENODEV */
ACT(map_shared_strictly, mmap(NULL, 4096, PROT_READ, 0x03 /* MAP_SHARED_VALIDATE */, 1, 0))
ACT(add_seals, S(SYS_fcntl, 1, 1033 /* F_ADD_SEALS */, 1)) /* EINVAL */
ACT(protect_executable, mprotect(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 4096, PROT_READ | PROT_EXEC))
ACT(key_executable, S(SYS_pkey_mprotect, mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 4096L, PROT_READ | PROT_EXEC, -1))
ACT(read_implies_exec, S(SYS_personality, 0xffffffffL))
ACT(own_filter, S(SYS_seccomp, 2, 0, NULL)) /* SECCOMP_GET_ACTION_AVAIL: EFAULT */
ACT(own_ruleset, S(SYS_landlock_create_ruleset, NULL, 0L, 1))
ACT(push_key, S(SYS_ioctl, 0, 0x5412 /* TIOCSTI */, "x"))
ACT(open_device, S(SYS_openat, AT_FDCWD, "/dev/null", O_RDWR, 0))
ACT(share_memory, S(SYS_shmget, 0, 4096L, 01600))
ACT(share_semaphore, S(SYS_semget, 0, 1, 01600))
ACT(share_queue, S(SYS_msgget, 0, 01600))
ACT(share_posix, S(SYS_mq_open, "nothing", 0, 0, NULL))
ACT(raise_limit, S(SYS_prlimit64, 0, RLIMIT_CORE, &(struct rlimit){1, 1}, NULL))
ACT(lock_memory, S(SYS_mlock, &victim, 8L))
#ifdef __x86_64__
ACT(x32_call, S(0x40000000L | SYS_getpid))
ACT(ldt_call, S(SYS_modify_ldt, 0, NULL, 0L))
static long old_call(void) {
    long result;
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(20L) : "memory");
    return result;
}
#endif

/* Descriptors */
ACT(send_descriptor, sendmsg(0, &(struct msghdr){.msg_iov = &(struct iovec){"x", 1}, .msg_iovlen = 1}, 0))
static long count_descriptors(void) {
    for (int fd = 0; fd < 1024; fd++)
        if ((fcntl(fd, F_GETFD) >= 0) != (fd < 3)) return errno = EBADFD, -1;
    return 0;
}
extern char **environ;
ACT(empty_environment, *environ == NULL ? 0 : (errno = EINVAL, -1))

/* Network */
ACT(tcp, socket(AF_INET, SOCK_STREAM, 0))
ACT(tcp6, socket(AF_INET6, SOCK_STREAM, 0))
ACT(mptcp, socket(AF_INET, SOCK_STREAM, 262))
ACT(udp, socket(AF_INET, SOCK_DGRAM, 0))
ACT(icmp, socket(AF_INET, SOCK_RAW, IPPROTO_ICMP))
ACT(unix_stream, socket(AF_UNIX, SOCK_STREAM, 0))
ACT(unix_pair, socketpair(AF_UNIX, SOCK_DGRAM, 0, (int[2]){0}))
ACT(netlink, socket(AF_NETLINK, SOCK_RAW, 0))
ACT(vsock, socket(AF_VSOCK, SOCK_STREAM, 0))
ACT(packet, socket(AF_PACKET, SOCK_RAW, 0))
ACT(alg, socket(AF_ALG, SOCK_SEQPACKET, 0))
ACT(fast_open, sendto(0, "x", 0, MSG_FASTOPEN | MSG_DONTWAIT, NULL, 0))
ACT(send_elsewhere, sendto(0, "x", 0, MSG_DONTWAIT, (struct sockaddr *)&(struct sockaddr_un){AF_UNIX, "/nowhere"}, 20))
ACT(connect_link, connect(0, (struct sockaddr *)&(struct sockaddr_un){AF_UNIX, "/nowhere"}, 20))
ACT(bind_link, bind(0, (struct sockaddr *)&(struct sockaddr_un){AF_UNIX, ""}, 2))
ACT(listen_link, listen(0, 1))
ACT(set_option, setsockopt(0, SOL_SOCKET, SO_SNDBUF, &(int){1 << 20}, 4))

/* Fills what a component may fill, until it is told to stop */
static void *wait_for_ever(void *x) { return pause(), x; }
static long thread_bomb(void) {
    pthread_t id;
    for (int count = 0; count < 10000; count++)
        if ((errno = pthread_create(&id, NULL, wait_for_ever, NULL))) return -1;
    return 0;
}
static long memory_bomb(void) {
    for (int count = 0; count < 100000; count++) {
        char *bytes = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (bytes == MAP_FAILED) return -1;
    }
    return 0;
}
static long descriptor_bomb(void) {
    for (int count = 0; count < 100000; count++)
        if (eventfd(0, EFD_CLOEXEC) < 0) return -1;
    return 0;
}

/* Twins: what a component needs must work */
static void *nothing(void *x) { return x; }
static long thread(void) {
    pthread_t id;
    return (errno = pthread_create(&id, NULL, nothing, NULL)) ? -1 : pthread_join(id, NULL);
}
static long allocate(void) {
    char *bytes = malloc(8 << 20);
    if (!bytes) return -1;
    memset(bytes, 1, 8 << 20);
    free(bytes);
    return 0;
}
static void caught(int signal) { (void)signal; }
static long own_abort(void) {
    signal(SIGUSR1, caught);
    return S(SYS_tgkill, getpid(), S(SYS_gettid), SIGUSR1);
}
ACT(random_bytes, getrandom((char[8]){0}, 8, 0))
ACT(tell_time, clock_gettime(CLOCK_MONOTONIC, &(struct timespec){0}))
ACT(sleep_a_little, nanosleep(&(struct timespec){0, 1000}, NULL))
ACT(make_epoll, epoll_create1(EPOLL_CLOEXEC))
ACT(make_event, eventfd(0, EFD_CLOEXEC))
ACT(name_thread, prctl(PR_SET_NAME, "twin", 0, 0, 0))
ACT(own_limits, getrlimit(RLIMIT_NOFILE, &(struct rlimit){0}))
ACT(count_cpus, sched_getaffinity(0, sizeof(cpu_set_t), &(cpu_set_t){0}))
ACT(map_memory, mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))
ACT(send_link, sendto(0, "", 0, MSG_DONTWAIT | MSG_NOSIGNAL, NULL, 0))
static long hold(void) {
    char byte;
    return read(0, &byte, 1);
}

static const struct { const char *name; long (*act)(void); } acts[] = {
#define A(name) {#name, name}
    A(read_file), A(empty_file), A(write_file), A(open2_file), A(cut_file), A(make_fifo), A(make_symlink), A(make_dir),
    A(link_file), A(rename_file), A(unlink_file), A(chmod_file), A(chmod2_file), A(chown_file), A(fchmod_link),
    A(touch_file), A(xattr_file), A(fxattr_file), A(stat_file), A(statx_file), A(access_file), A(read_link), A(stat_fs),
    A(watch_files), A(watch_all), A(change_dir), A(handle_file), A(by_handle), A(own_image), A(mount_it), A(umount_it),
    A(pivot_it), A(chroot_it), A(fsopen_it), A(open_tree_it), A(temp_file),
    A(read_memory_file), A(find_process), A(trace_process), A(read_process), A(write_process), A(advise_process),
    A(compare_process), A(hold_process), A(kill_process), A(kill_all), A(kill_thread), A(kill_group), A(queue_signal),
    A(own_signal), A(limit_process), A(renice_process), A(bind_process), A(idle_process), A(ionice_process), A(fork_it),
    A(outlive_parent), A(adopt), A(dump_me),
    A(ring), A(bpf_it), A(perf_it), A(fault_it), A(load_module), A(reboot_it), A(kexec_it), A(swap_on), A(account),
    A(read_log), A(set_clock), A(enter_namespace), A(add_key), A(key_control), A(new_user_namespace), A(new_mounts),
    A(clone_namespace), A(clone_three), A(memory_file), A(execute_link), A(execute_again), A(execute_by_name),
    A(execute_file), A(map_executable), A(map_shared), A(map_shared_file), A(map_shared_strictly),
    A(add_seals), A(protect_executable), A(key_executable), A(read_implies_exec),
    A(own_filter), A(own_ruleset), A(push_key), A(open_device), A(share_memory), A(share_semaphore), A(share_queue),
    A(share_posix), A(raise_limit), A(lock_memory),
#ifdef __x86_64__
    A(x32_call), A(ldt_call), A(old_call),
#endif
    A(send_descriptor), A(count_descriptors), A(empty_environment),
    A(tcp), A(tcp6), A(mptcp), A(udp), A(icmp), A(unix_stream), A(unix_pair), A(netlink), A(vsock), A(packet), A(alg),
    A(fast_open), A(send_elsewhere), A(connect_link), A(bind_link), A(listen_link), A(set_option),
    A(thread_bomb), A(memory_bomb), A(descriptor_bomb),
    A(thread), A(allocate), A(own_abort), A(random_bytes), A(tell_time), A(sleep_a_little), A(make_epoll), A(make_event),
    A(name_thread), A(own_limits), A(count_cpus), A(map_memory), A(send_link), A(hold),
};

int main(int count, char **words) {
    char *act = strtok(words[0], " ");
    const char *pid;
    victim = strtok(NULL, " ");
    pid = strtok(NULL, " ");
    prey = pid ? atoi(pid) : 0;
    (void)count;
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++) {
        if (strcmp(acts[i].name, act)) continue;
        errno = 0;
        const char *word = acts[i].act() == -1 ? strerrorname_np(errno) : "done";
        if (write(0, word, strlen(word)) < 0) return 3;
        return 0;
    }
    return 4;
}
