// One attempt to leave a sandbox, as a table entry, and what it may use.
//
// An attempt answers 0 when it believes that it succeeded, or the errno of what
// refused it. What really happened is looked at from outside: by the program
// that started the sandbox, which holds the victims.
#ifndef ATTEMPT_H
#define ATTEMPT_H

#define _GNU_SOURCE
#include <errno.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

// `TRY(call)`: 0, or the errno of the call.
#define TRY(call) ((long)(call) < 0 ? errno : 0)
// The same for the attempt's whole function: gives up at the first refusal.
#define NEED(call)                                                             \
  do {                                                                         \
    if ((long)(call) < 0)                                                      \
      return errno;                                                            \
  } while (0)

struct attempt {
  const char *id;    // as in SECURITY.md, with a letter for variants: `FS-01a`
  const char *title; // what is tried
  int (*act)(void);
  int (*twin)(void); // the harmless twin, which must succeed; or NULL
};

// Each group ends with an entry without an id.
extern const struct attempt FILES[], PROCESSES[], KERNEL[], DESCRIPTORS[],
    NETWORK[], RESOURCES[], BUS[];

// What the attempt is aimed at: a member of the configuration, "" or 0 when it has none.
const char *text(const char *name);
long number(const char *name);

// Says one line to whoever reads along.
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

// The link to the core; -1 when the program runs without one.
extern int link_fd;
// Reads one whole frame; its tag, or -1 at the end of the link.
int next_frame(void);
// The body of that frame, with a zero behind it.
const unsigned char *frame_body(size_t *bytes);
#endif
