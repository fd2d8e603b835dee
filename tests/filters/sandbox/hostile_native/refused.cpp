// Tries what a program under judgement has no business with; prints "refused" or "ALLOWED" a line.
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <string>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

extern char **environ;

void tell(const std::string &what, bool refused) {
  printf("%s %s %s\n", refused ? "refused" : "ALLOWED", what.c_str(), strerror(errno));
}

void tell(const std::string &what, long result) { tell(what, result < 0); }

int main() {
  tell("fork", syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
  tell("vfork", syscall(SYS_clone, 0x4000 | 0x100 | SIGCHLD, 0, 0, 0, 0));
  tell("clone3", syscall(SYS_clone3, 0, 0));
  tell("tcp", (long)socket(AF_INET, SOCK_STREAM, 0));
  tell("tcp6", (long)socket(AF_INET6, SOCK_STREAM, 0));
  tell("udp", (long)socket(AF_INET, SOCK_DGRAM, 0));
  tell("unix", (long)socket(AF_UNIX, SOCK_STREAM, 0));
  tell("netlink", (long)socket(AF_NETLINK, SOCK_RAW, 0));
  for (const char *path : {"/etc/passwd", "/etc/shadow", "/etc/hostname", "/proc/self/environ",
                           "/proc/1/environ", "/home", "/sys/kernel", "/usr/bin/sh", "/dev/tty",
                           "/dev/mem", "/var", "/run"})
    tell(std::string("read ") + path, (long)open(path, O_RDONLY));
  for (const char *path : {"/new", "/usr/lib/new", "/dev/new", "/dev/shm/new", "/program",
                           "/harness.py", "/etc/passwd"})
    tell(std::string("write ") + path, (long)open(path, O_WRONLY | O_CREAT, 0600));
  tell("signal everybody", (long)kill(-1, SIGKILL));
  tell("signal the first process", (long)kill(1, SIGKILL));
  tell("signal the parent", (long)kill(getppid(), SIGKILL));
  tell("ptrace", ptrace(PTRACE_ATTACH, getppid(), 0, 0));
  tell("unshare", (long)unshare(CLONE_NEWUSER));
  tell("memfd", (long)memfd_create("x", 0));
  tell("shared memory", syscall(SYS_shmget, 0, 4096, 01600));
  tell("mount", syscall(SYS_mount, 0, "/tmp", 0, 0, 0));
  tell("chroot", (long)chroot("/tmp"));
  tell("io_uring", syscall(SYS_io_uring_setup, 8, 0));
  tell("bpf", syscall(SYS_bpf, 0, 0, 0));
  tell("keyctl", syscall(SYS_keyctl, 0, 0));
  tell("userfaultfd", syscall(SYS_userfaultfd, 0));
  tell("perf", syscall(SYS_perf_event_open, 0, 0, -1, -1, 0));
  tell("limits of the parent", syscall(SYS_prlimit64, getppid(), 7, 0, 0));
  tell("become root", (long)setuid(0));
  tell("shell", (long)execl("/bin/sh", "sh", "-c", "exit 0", nullptr));
  for (int fd = 3; fd < 256; fd++)
    if (fcntl(fd, F_GETFD) >= 0) tell("inherited descriptor " + std::to_string(fd), false);
  for (char **each = environ; *each; each++)
    if (strncmp(*each, "LC_ALL=", 7) != 0) tell(std::string("environment ") + *each, false);
}
