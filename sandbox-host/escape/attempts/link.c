// The few frames that an attempt needs of the bus protocol (protocol/src/codec).
#include "attempt.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LOADED = 0x03, LOG = 0x09, PONG = 0x0a, START = 0x84, DELIVER = 0x86, PING = 0x88, STOP = 0x89 };
enum { MAGIC = 0xb7, PREFIX = 8, HEADER_MAX = 16 * 1024, BODY_MAX = 1024 * 1024 };

int link_fd = -1;
static char address[1025], config[HEADER_MAX + 1];
static unsigned char header[HEADER_MAX], body[BODY_MAX + 1];
static size_t body_length;

static int read_all(void *to, size_t bytes) {
  for (size_t got = 0; got < bytes;) {
    ssize_t more = read(link_fd, (char *)to + got, bytes - got);
    if (more < 0 && errno == EINTR)
      continue;
    if (more <= 0)
      return -1;
    got += (size_t)more;
  }
  return 0;
}

// A variable-length integer of the header codec: one byte below 251, else 2 or 4 after a mark.
static size_t put_length(unsigned char *to, size_t length) {
  if (length < 251) {
    to[0] = (unsigned char)length;
    return 1;
  }
  to[0] = 251;
  to[1] = (unsigned char)length;
  to[2] = (unsigned char)(length >> 8);
  return 3;
}

static size_t put_text(unsigned char *to, const char *from) {
  size_t length = strlen(from), mark = put_length(to, length);
  memcpy(to + mark, from, length);
  return mark + length;
}

static const unsigned char *take_text(const unsigned char *at, char *to, size_t most) {
  size_t length = *at++;
  if (length == 251) {
    length = (size_t)(at[0] | at[1] << 8);
    at += 2;
  }
  size_t kept = length < most ? length : most;
  memcpy(to, at, kept);
  to[kept] = 0;
  return at + length;
}

static void send_frame(int tag, const void *head, size_t head_bytes, const void *text, size_t bytes) {
  unsigned char frame[PREFIX + 2048 + 4096];
  unsigned char *at = frame + PREFIX;
  memcpy(at, head, head_bytes);
  memcpy(at + head_bytes, text, bytes);
  frame[0] = MAGIC;
  frame[1] = (unsigned char)tag;
  for (int i = 0; i < 2; i++)
    frame[2 + i] = (unsigned char)(head_bytes >> 8 * i);
  for (int i = 0; i < 4; i++)
    frame[4 + i] = (unsigned char)(bytes >> 8 * i);
  size_t whole = PREFIX + head_bytes + bytes;
  for (size_t sent = 0; sent < whole;) {
    ssize_t more = write(link_fd, frame + sent, whole - sent);
    if (more < 0 && errno != EINTR)
      exit(1);
    sent += more > 0 ? (size_t)more : 0;
  }
}

int next_frame(void) {
  unsigned char prefix[PREFIX];
  if (read_all(prefix, PREFIX) != 0 || prefix[0] != MAGIC)
    return -1;
  size_t head_bytes = (size_t)(prefix[2] | prefix[3] << 8);
  size_t body_bytes = (size_t)(prefix[4] | prefix[5] << 8 | prefix[6] << 16);
  if (head_bytes > HEADER_MAX || body_bytes > BODY_MAX)
    return -1;
  if (read_all(header, head_bytes) != 0 || read_all(body, body_bytes) != 0)
    return -1;
  body[body_bytes] = 0;
  body_length = body_bytes;
  if (prefix[1] == PING)
    send_frame(PONG, header, head_bytes, "", 0);
  return prefix[1];
}

const unsigned char *frame_body(size_t *bytes) {
  *bytes = body_length;
  return body;
}

// Waits for `Start`, answers `Loaded`.
static int attach(void) {
  char runtime[1025];
  int tag;
  link_fd = 0;
  while ((tag = next_frame()) != START)
    if (tag < 0 || tag == STOP)
      return -1;
  const unsigned char *at = take_text(header, address, sizeof address - 1);
  at = take_text(at, runtime, sizeof runtime - 1);
  take_text(at, config, sizeof config - 1);
  unsigned char head[2048];
  send_frame(LOADED, head, put_text(head, address), "", 0);
  return 0;
}

void say(const char *format, ...) {
  char line[4096];
  va_list rest;
  va_start(rest, format);
  int length = vsnprintf(line, sizeof line, format, rest);
  va_end(rest);
  if (length >= (int)sizeof line)
    length = (int)sizeof line - 1;
  if (link_fd < 0) {
    printf("%s\n", line);
    fflush(stdout);
    return;
  }
  // Log { component, level: Info, place: "" }
  unsigned char head[2048];
  size_t bytes = put_text(head, address);
  head[bytes++] = 1;
  bytes += put_text(head + bytes, "");
  send_frame(LOG, head, bytes, line, (size_t)length);
}

// The configuration is flat and written by our own program: a scan finds a member.
static const char *member(const char *name) {
  char key[64];
  snprintf(key, sizeof key, "\"%s\":", name);
  const char *at = strstr(config, key);
  return at ? at + strlen(key) : NULL;
}

const char *text(const char *name) {
  static char values[16][1024];
  static unsigned turn;
  char *value = values[turn++ % 16];
  const char *at = member(name);
  size_t length = 0;
  if (at && *at == '"')
    for (at++; *at && *at != '"' && length < 1023; at++)
      value[length++] = *at;
  value[length] = 0;
  return value;
}

long number(const char *name) {
  const char *at = member(name);
  return at ? strtol(at, NULL, 10) : 0;
}

static const struct attempt *find(const char *id) {
  const struct attempt *groups[] = {FILES, PROCESSES, KERNEL, DESCRIPTORS, NETWORK, RESOURCES, BUS};
  for (size_t group = 0; group < sizeof groups / sizeof *groups; group++)
    for (const struct attempt *it = groups[group]; it->id; it++)
      if (strcmp(it->id, id) == 0)
        return it;
  return NULL;
}

static void list(void) {
  const struct attempt *groups[] = {FILES, PROCESSES, KERNEL, DESCRIPTORS, NETWORK, RESOURCES, BUS};
  for (size_t group = 0; group < sizeof groups / sizeof *groups; group++)
    for (const struct attempt *it = groups[group]; it->id; it++)
      printf("%s\t%s\n", it->id, it->title);
}

// `attempts` runs as a component; `attempts CONFIG` by itself, with the same configuration as JSON
// text; `attempts --list` names what there is.
int main(int count, char **words) {
  if (count > 1 && strcmp(words[1], "--list") == 0) {
    list();
    return 0;
  }
  if (count > 1)
    snprintf(config, sizeof config, "%s", words[1]);
  else if (attach() != 0)
    return 1;
  const struct attempt *attempt = find(text("attempt"));
  if (!attempt) {
    say("unknown attempt");
    return 1;
  }
  if (attempt->twin) {
    int refused = attempt->twin();
    say("twin %d %s", refused, strerror(refused));
  }
  say("begin");
  int refused = attempt->act();
  say("end %d %s", refused, strerror(refused));
  // What comes now was not meant for it, unless it was asked for.
  int tag;
  while (link_fd >= 0 && (tag = next_frame()) >= 0)
    if (tag == DELIVER)
      say("heard %.2000s", (const char *)body);
  return 0;
}
