// BU, PO: bytes on the link. What is sent comes from outside, where the addresses of the
// victims are known; it is written as it is.
#include "attempt.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { DELIVER = 0x86 };

static int nibble(int letter) {
  return letter <= '9' ? letter - '0' : letter - 'a' + 10;
}

// Writes all of it; ETIMEDOUT when the core takes no more for five seconds.
static int write_all(const unsigned char *from, size_t length) {
  for (size_t sent = 0; sent < length;) {
    ssize_t more = send(0, from + sent, length - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
    struct pollfd room = {.fd = 0, .events = POLLOUT};
    if (more > 0)
      sent += (size_t)more;
    else if (more < 0 && errno != EAGAIN)
      return errno;
    else if (poll(&room, 1, 5000) == 0)
      return ETIMEDOUT;
  }
  return 0;
}

// Waits for `{"frames":"<hex>","repeat":N}` and writes these bytes to the link, N times.
static int write_frames(void) {
  say("waiting for frames");
  int tag;
  while ((tag = next_frame()) != DELIVER)
    if (tag < 0)
      return EPIPE;
  size_t bytes;
  const char *body = (const char *)frame_body(&bytes);
  const char *at = strstr(body, "\"frames\":\"");
  const char *times = strstr(body, "\"repeat\":");
  if (!at)
    return EINVAL;
  static unsigned char out[262144];
  size_t length = 0;
  for (at += 10; at[0] != '"' && at[1] && length < sizeof out; at += 2)
    out[length++] = (unsigned char)(nibble(at[0]) << 4 | nibble(at[1]));
  say("begin");
  for (long left = times ? strtol(times + 9, NULL, 10) : 1; left > 0; left--) {
    int refused = write_all(out, length);
    if (refused)
      return refused;
  }
  return 0;
}

// The beginning of a frame, and nothing after it.
static int half_frame(void) {
  NEED(write(0, "\xb7\x06\x10", 3));
  char byte;
  while (recv(0, &byte, 1, 0) > 0)
    ;
  _exit(0);
}

const struct attempt BUS[] = {
    {"frames", "write these bytes to the link", write_frames, NULL},
    {"BU-13", "half a frame, then silence", half_frame, NULL},
    {NULL, NULL, NULL, NULL},
};
