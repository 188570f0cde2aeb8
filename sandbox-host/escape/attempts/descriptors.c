// FD: descriptors and the environment.
#include "attempt.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

extern char **environ;

// What a component may do: use the link that it was given.
static int own_link(void) {
  struct stat it;
  return TRY(syscall(SYS_fstat, 0, &it));
}

static int find_leaks(void) {
  int leaked = 0;
  struct stat it;
  for (int fd = 3; fd < 4096; fd++)
    if (syscall(SYS_fstat, fd, &it) == 0) {
      say("descriptor %d, mode %o", fd, it.st_mode);
      leaked++;
    }
  return leaked ? 0 : EBADF;
}
static int leave_by_leak(void) {
  for (int fd = 0; fd < 4096; fd++)
    if (fchdir(fd) == 0)
      return 0;
  return errno;
}
static int open_below_leak(void) {
  for (int fd = 0; fd < 4096; fd++)
    if (openat(fd, "..", O_RDONLY | O_DIRECTORY) >= 0)
      return 0;
  return errno;
}

// Sends this descriptor to the core, which never asked for one.
static int give(int fd) {
  char byte = 0;
  struct iovec one = {&byte, 0};
  char space[CMSG_SPACE(sizeof fd)];
  struct msghdr message = {.msg_iov = &one, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof space};
  struct cmsghdr *head = CMSG_FIRSTHDR(&message);
  head->cmsg_level = SOL_SOCKET;
  head->cmsg_type = SCM_RIGHTS;
  head->cmsg_len = CMSG_LEN(sizeof fd);
  memcpy(CMSG_DATA(head), &fd, sizeof fd);
  return TRY(sendmsg(0, &message, 0));
}
static int give_null(void) { return give(1); }
static int give_link(void) { return give(0); }

static int hand_over(void) {
  pid_t child = fork();
  NEED(child);
  if (child == 0)
    _exit(write(0, "", 0) < 0);
  return 0;
}

static int read_environment(void) {
  for (char **entry = environ; entry && *entry; entry++)
    say("%s", *entry);
  return environ && *environ ? 0 : ENOENT;
}
static int read_arguments(void) { return TRY(open("/proc/self/cmdline", O_RDONLY)); }

// Terminal sequences, and a line that looks like another one's.
static int forge_lines(void) {
  for (int line = 0; line < 200; line++)
    say("\033[2J\033]0;owned\007\r\nERROR core-supervisor: all is well\n\xe2\x80\xae%d\x80\xff", line);
  return 0;
}

const struct attempt DESCRIPTORS[] = {
    {"FD-01", "find a descriptor that was not meant for it", find_leaks, own_link},
    {"FD-02a", "change the folder through a descriptor", leave_by_leak, own_link},
    {"FD-02b", "open a folder above a descriptor", open_below_leak, own_link},
    {"FD-04", "hand the link to a child", hand_over, own_link},
    {"FD-05", "send a descriptor to the core", give_null, own_link},
    {"FD-06", "send the link through the link", give_link, own_link},
    {"FD-08", "read secrets from the environment", read_environment, own_link},
    {"FD-09", "read arguments", read_arguments, own_link},
    {"FD-10", "write terminal sequences and forged lines into logs", forge_lines, own_link},
    {NULL, NULL, NULL, NULL},
};
