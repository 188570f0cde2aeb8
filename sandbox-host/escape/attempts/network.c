// NW: sockets. A component is handed what it may reach, connected.
#include "attempt.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

// What a component may do: speak over the socket that it was given.
static int own_socket(void) {
  struct sockaddr_un name;
  socklen_t bytes = sizeof name;
  if (link_fd < 0)
    return 0;
  return TRY(getsockname(0, (struct sockaddr *)&name, &bytes));
}

static struct sockaddr_in loopback(const char *port) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((unsigned short)number(port))};
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return to;
}
static int connect_by(int type, int protocol) {
  struct sockaddr_in to = loopback("tcp");
  int socket_fd = socket(AF_INET, type, protocol);
  NEED(socket_fd);
  return TRY(connect(socket_fd, (struct sockaddr *)&to, sizeof to));
}
static int tcp(void) { return connect_by(SOCK_STREAM, 0); }
static int multipath(void) { return connect_by(SOCK_STREAM, 262 /* IPPROTO_MPTCP */); }
static int tcp6(void) {
  struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_port = htons((unsigned short)number("tcp"))};
  inet_pton(AF_INET6, "::ffff:127.0.0.1", &to.sin6_addr);
  int socket_fd = socket(AF_INET6, SOCK_STREAM, 0);
  NEED(socket_fd);
  return TRY(connect(socket_fd, (struct sockaddr *)&to, sizeof to));
}
static int bind_tcp(void) {
  struct sockaddr_in any = {.sin_family = AF_INET};
  int socket_fd = socket(AF_INET, SOCK_STREAM, 0);
  NEED(socket_fd);
  NEED(bind(socket_fd, (struct sockaddr *)&any, sizeof any));
  return TRY(listen(socket_fd, 1));
}
static int listen_unbound(void) {
  int socket_fd = socket(AF_INET, SOCK_STREAM, 0);
  NEED(socket_fd);
  return TRY(listen(socket_fd, 1));
}
static int fast_open(void) {
  struct sockaddr_in to = loopback("tcp");
  int socket_fd = socket(AF_INET, SOCK_STREAM, 0);
  NEED(socket_fd);
  return TRY(sendto(socket_fd, "out", 3, MSG_FASTOPEN, (struct sockaddr *)&to, sizeof to));
}
static int fast_open_later(void) {
  int on = 1;
  int socket_fd = socket(AF_INET, SOCK_STREAM, 0);
  NEED(socket_fd);
  NEED(setsockopt(socket_fd, IPPROTO_TCP, 30 /* TCP_FASTOPEN_CONNECT */, &on, sizeof on));
  struct sockaddr_in to = loopback("tcp");
  NEED(connect(socket_fd, (struct sockaddr *)&to, sizeof to));
  return TRY(write(socket_fd, "out", 3));
}
static int udp(void) {
  struct sockaddr_in to = loopback("udp");
  int socket_fd = socket(AF_INET, SOCK_DGRAM, 0);
  NEED(socket_fd);
  return TRY(sendto(socket_fd, "out", 3, 0, (struct sockaddr *)&to, sizeof to));
}
static int ping(void) { return TRY(socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP)); }
static int raw(void) { return TRY(socket(AF_INET, SOCK_RAW, IPPROTO_RAW)); }
static int sctp(void) { return TRY(socket(AF_INET, SOCK_STREAM, 132)); }
static int dccp(void) { return TRY(socket(AF_INET, 6 /* SOCK_DCCP */, 33)); }

static int connect_name(const char *name, size_t bytes) {
  struct sockaddr_un to = {.sun_family = AF_UNIX};
  memcpy(to.sun_path, name, bytes < sizeof to.sun_path ? bytes : sizeof to.sun_path - 1);
  int socket_fd = socket(AF_UNIX, SOCK_STREAM, 0);
  NEED(socket_fd);
  return TRY(connect(socket_fd, (struct sockaddr *)&to, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + bytes)));
}
static int local(void) {
  const char *name = text("local");
  return connect_name(name, strlen(name) + 1);
}
static int endpoint(void) {
  const char *name = text("endpoint");
  return connect_name(name, strlen(name) + 1);
}
static int abstract_name(void) {
  char name[108] = "";
  int bytes = snprintf(name + 1, sizeof name - 1, "%s", text("abstract"));
  return connect_name(name, (size_t)bytes + 1);
}
static int send_beside(void) {
  int pair[2];
  NEED(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
  struct sockaddr_un to = {.sun_family = AF_UNIX};
  snprintf(to.sun_path, sizeof to.sun_path, "%s", text("datagram"));
  return TRY(sendto(pair[0], "out", 3, 0, (struct sockaddr *)&to, sizeof to));
}
static int link_beside(void) {
  struct sockaddr_un to = {.sun_family = AF_UNIX};
  snprintf(to.sun_path, sizeof to.sun_path, "%s", text("datagram"));
  return TRY(sendto(0, "", 0, 0, (struct sockaddr *)&to, sizeof to));
}

static int family(int name, int type) { return TRY(socket(name, type, 0)); }
static int netlink(void) { return family(AF_NETLINK, SOCK_RAW); }
static int vsock(void) { return family(40, SOCK_STREAM); }
static int packet(void) { return family(AF_PACKET, SOCK_RAW); }
static int crypto(void) { return family(38, SOCK_SEQPACKET); }
static int express(void) { return family(44, SOCK_RAW); }
static int can_bus(void) { return family(29, SOCK_RAW); }
static int bluetooth(void) { return family(31, SOCK_RAW); }

const struct attempt NETWORK[] = {
    {"NW-01a", "connect by TCP", tcp, own_socket},
    {"NW-01b", "connect by TCP over a mapped address", tcp6, own_socket},
    {"NW-01c", "listen on TCP", bind_tcp, own_socket},
    {"NW-02", "connect by multipath TCP", multipath, own_socket},
    {"NW-03a", "send while connecting", fast_open, own_socket},
    {"NW-03b", "send while connecting, by an option", fast_open_later, own_socket},
    {"NW-04a", "send by UDP", udp, own_socket},
    {"NW-04b", "an ICMP socket", ping, own_socket},
    {"NW-04c", "a raw socket", raw, own_socket},
    {"NW-04d", "an SCTP socket", sctp, own_socket},
    {"NW-04e", "a DCCP socket", dccp, own_socket},
    {"NW-05", "listen without an address", listen_unbound, own_socket},
    {"NW-06a", "connect to a local socket", local, own_socket},
    {"NW-06b", "connect to the core as the operator", endpoint, own_socket},
    {"NW-07", "connect to an abstract socket", abstract_name, own_socket},
    {"NW-08a", "send a datagram to a local socket", send_beside, own_socket},
    {"NW-08b", "the same over the link", link_beside, own_socket},
    {"NW-09a", "a netlink socket", netlink, own_socket},
    {"NW-09b", "a socket to the hypervisor", vsock, own_socket},
    {"NW-09c", "a packet socket", packet, own_socket},
    {"NW-09d", "a socket to the kernel's ciphers", crypto, own_socket},
    {"NW-09e", "an XDP socket", express, own_socket},
    {"NW-09f", "a CAN socket", can_bus, own_socket},
    {"NW-09g", "a Bluetooth socket", bluetooth, own_socket},
    {NULL, NULL, NULL, NULL},
};
