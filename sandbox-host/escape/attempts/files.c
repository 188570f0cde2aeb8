// FS: files and their names.
#include "attempt.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/time.h>
#include <sys/xattr.h>

// What a component may do with files: ask about the descriptors that it has, and write to them.
static int own_descriptors(void) {
  struct stat it;
  // Not by the C library, which asks for a name beside the descriptor.
  NEED(syscall(SYS_fstat, 1, &it));
  return TRY(write(1, "", 0));
}

static int read_file(const char *path) {
  char bytes[256];
  int file = open(path, O_RDONLY);
  NEED(file);
  ssize_t got = read(file, bytes, sizeof bytes - 1);
  NEED(got);
  bytes[got] = 0;
  say("read %zd bytes of %s", got, path);
  return 0;
}

static int read_secret(void) { return read_file(text("secret")); }
static int read_system(void) { return read_file("/etc/passwd"); }
static int read_shadow(void) { return read_file("/etc/shadow"); }
static int read_store(void) { return read_file(text("store")); }

static int overwrite(void) {
  int file = open(text("secret"), O_WRONLY | O_APPEND);
  NEED(file);
  return TRY(write(file, "x", 1));
}
static int cut(void) { return TRY(truncate(text("secret"), 0)); }
static int cut_at_open(void) { return TRY(open(text("secret"), O_RDONLY | O_TRUNC)); }

// A name in the victims' folder.
static const char *in_folder(const char *name) {
  static char path[1200];
  snprintf(path, sizeof path, "%s/%s", text("folder"), name);
  return path;
}
static int make_file(void) { return TRY(open(in_folder("made"), O_CREAT | O_WRONLY, 0600)); }
static int make_fifo(void) { return TRY(mknod(in_folder("fifo"), S_IFIFO | 0600, 0)); }
static int make_device(void) { return TRY(mknod(in_folder("device"), S_IFCHR | 0600, 0x103)); }
static int make_symlink(void) { return TRY(symlink("/etc/passwd", in_folder("link"))); }
static int make_folder(void) { return TRY(mkdir(in_folder("folder"), 0700)); }
static int hard_link(void) { return TRY(link(text("secret"), in_folder("hard"))); }
static int move_away(void) { return TRY(rename(text("secret"), in_folder("moved"))); }
static int remove_it(void) { return TRY(unlink(text("secret"))); }

static int change_mode(void) { return TRY(chmod(text("secret"), 0777)); }
static int change_mode_at(void) {
  return TRY(syscall(452 /* fchmodat2 */, AT_FDCWD, text("secret"), 0777, 0));
}
static int change_owner(void) { return TRY(chown(text("secret"), 65534, 65534)); }
static int change_times(void) {
  struct timespec times[2] = {{1, 0}, {1, 0}};
  return TRY(utimensat(AT_FDCWD, text("secret"), times, 0));
}
static int set_attribute(void) { return TRY(setxattr(text("secret"), "user.taken", "1", 1, 0)); }

static int see(void) {
  struct stat it;
  return TRY(stat(text("secret"), &it));
}
static int see_by_access(void) { return TRY(access(text("secret"), F_OK)); }
static int see_by_statfs(void) {
  struct statfs it;
  return TRY(statfs(text("folder"), &it));
}
static int see_by_readlink(void) {
  char to[64];
  // EINVAL says that it is there and no link.
  int refused = TRY(readlink(text("secret"), to, sizeof to));
  return refused == EINVAL ? 0 : refused;
}
static int watch(void) {
  int watcher = inotify_init1(0);
  NEED(watcher);
  return TRY(inotify_add_watch(watcher, text("folder"), IN_ALL_EVENTS));
}
static int watch_all(void) { return TRY(syscall(SYS_fanotify_init, 0, 0)); }
static int go_out(void) {
  NEED(chdir("/../../.."));
  DIR *folder = opendir(".");
  if (!folder)
    return errno;
  int entries = 0;
  while (readdir(folder))
    entries++;
  say("%d entries", entries);
  return entries > 2 ? 0 : ENOENT;
}
static int by_handle(void) {
  struct {
    unsigned bytes;
    int type;
    unsigned char handle[128];
  } handle = {128, 0, {0}};
  int mount;
  return TRY(syscall(SYS_name_to_handle_at, AT_FDCWD, text("secret"), &handle, &mount, 0));
}
static int through_root(void) { return read_file("/proc/self/root/etc/passwd"); }
static int through_cwd(void) { return TRY(open("/proc/self/cwd", O_RDONLY | O_DIRECTORY)); }
static int through_exe(void) { return TRY(open("/proc/self/exe", O_RDONLY)); }
static int through_maps(void) { return TRY(open("/proc/self/maps", O_RDONLY)); }
static int list_processes(void) { return TRY(open("/proc", O_RDONLY | O_DIRECTORY)); }

static int mount_it(void) { return TRY(mount("none", "/", "tmpfs", 0, NULL)); }
static int move_mount_it(void) { return TRY(syscall(SYS_open_tree, AT_FDCWD, "/", 1)); }
static int open_filesystem(void) { return TRY(syscall(SYS_fsopen, "tmpfs", 0)); }
static int mount_attributes(void) { return TRY(syscall(442, AT_FDCWD, "/", 0, NULL, 0)); }
static int pivot(void) { return TRY(syscall(SYS_pivot_root, "/", "/")); }
static int change_root(void) { return TRY(chroot("/")); }
static int unmount(void) { return TRY(umount2("/", MNT_DETACH)); }

static int nameless(void) { return TRY(open(text("folder"), O_TMPFILE | O_RDWR, 0700)); }

// A sparse file of a tebibyte in what memory there is to be had.
static int sparse(void) {
  int file = (int)syscall(SYS_memfd_create, "sparse", 0);
  NEED(file);
  return TRY(ftruncate(file, 1L << 40));
}

const struct attempt FILES[] = {
    {"FS-01a", "read another's file", read_secret, own_descriptors},
    {"FS-01b", "read /etc/passwd", read_system, own_descriptors},
    {"FS-01c", "read /etc/shadow", read_shadow, own_descriptors},
    {"FS-01d", "read the runtime's store", read_store, own_descriptors},
    {"FS-02a", "append to another's file", overwrite, own_descriptors},
    {"FS-02b", "truncate another's file", cut, own_descriptors},
    {"FS-02c", "truncate it by opening it", cut_at_open, own_descriptors},
    {"FS-03a", "make a file", make_file, own_descriptors},
    {"FS-03b", "make a fifo", make_fifo, own_descriptors},
    {"FS-03c", "make a device", make_device, own_descriptors},
    {"FS-03d", "make a symbolic link", make_symlink, own_descriptors},
    {"FS-03e", "make a folder", make_folder, own_descriptors},
    {"FS-04a", "link a secret into a folder of its own", hard_link, own_descriptors},
    {"FS-04b", "move a secret away", move_away, own_descriptors},
    {"FS-04c", "remove a secret", remove_it, own_descriptors},
    {"FS-07a", "change a mode", change_mode, own_descriptors},
    {"FS-07b", "change a mode by fchmodat2", change_mode_at, own_descriptors},
    {"FS-07c", "change an owner", change_owner, own_descriptors},
    {"FS-08a", "change times", change_times, own_descriptors},
    {"FS-08b", "set an extended attribute", set_attribute, own_descriptors},
    {"FS-09a", "learn by stat whether a file exists", see, own_descriptors},
    {"FS-09b", "learn it by access", see_by_access, own_descriptors},
    {"FS-09c", "learn about a file system", see_by_statfs, own_descriptors},
    {"FS-09d", "learn it by readlink", see_by_readlink, own_descriptors},
    {"FS-10a", "watch a folder", watch, own_descriptors},
    {"FS-10b", "watch everything", watch_all, own_descriptors},
    {"FS-11", "go out by ..", go_out, own_descriptors},
    {"FS-12", "make a handle of a file", by_handle, own_descriptors},
    {"FS-13a", "through /proc/self/root", through_root, own_descriptors},
    {"FS-13b", "through /proc/self/cwd", through_cwd, own_descriptors},
    {"FS-13c", "through /proc/self/exe", through_exe, own_descriptors},
    {"FS-13d", "through /proc/self/maps", through_maps, own_descriptors},
    {"FS-13e", "list /proc", list_processes, own_descriptors},
    {"FS-14a", "mount", mount_it, own_descriptors},
    {"FS-14b", "clone a mount by open_tree", move_mount_it, own_descriptors},
    {"FS-14c", "open a file system", open_filesystem, own_descriptors},
    {"FS-14d", "change a mount's attributes", mount_attributes, own_descriptors},
    {"FS-14e", "change the root by pivot_root", pivot, own_descriptors},
    {"FS-14f", "change the root by chroot", change_root, own_descriptors},
    {"FS-14g", "unmount", unmount, own_descriptors},
    {"FS-15", "make a file without a name", nameless, own_descriptors},
    {"FS-18", "make a sparse file of a tebibyte", sparse, own_descriptors},
    {NULL, NULL, NULL, NULL},
};
