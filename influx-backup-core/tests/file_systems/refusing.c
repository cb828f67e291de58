// A file system that refuses or lies, for one process: `LD_PRELOAD` of the shared object that `refusing.rs` makes of this.
//
// REFUSING has one rule a line: `CALL ERRNO DIRECTORY`. The call fails with that number for what lies in the directory or is
// the directory. The call `inode` never fails: each look at a file there shows another inode. REFUSING_LOG is a file that
// gets one line `CALL PATH` for each answer that was changed. Calls that bypass libc (those of rustix) are not seen:
// `strace` injects their errors.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

// The absolute path of `path` as seen from the directory `at`; that of the descriptor itself where `path` is empty.
static void absolute(char *out, int at, const char *path) {
    char link[64];
    out[0] = 0;
    if (path == NULL) path = "";
    if (path[0] != '/') {
        snprintf(link, sizeof link, at == AT_FDCWD ? "/proc/self/cwd" : "/proc/self/fd/%d", at);
        ssize_t length = readlink(link, out, PATH_MAX - 1);
        out[length < 0 ? 0 : length] = 0;
        if (path[0] == 0) return;
        strncat(out, "/", PATH_MAX - strlen(out) - 1);
    }
    strncat(out, path, PATH_MAX - strlen(out) - 1);
}

// The number of the rule for this call and path; -1 where there is none.
static int rule(const char *call, int at, const char *path) {
    const char *rules = getenv("REFUSING");
    int kept = errno, found = -1;
    if (rules == NULL || strstr(rules, call) == NULL) return -1;
    char whole[PATH_MAX], name[32], directory[PATH_MAX];
    int number, length;
    absolute(whole, at, path);
    while (found < 0 && sscanf(rules, "%31s %d %4095[^\n]%n", name, &number, directory, &length) == 3) {
        size_t end = strlen(directory);
        int is_below = strncmp(whole, directory, end) == 0 && (whole[end] == '/' || whole[end] == 0);
        if (strcmp(name, call) == 0 && is_below) found = number;
        rules += length;
    }
    const char *log = found < 0 ? NULL : getenv("REFUSING_LOG");
    if (log != NULL) {
        char line[PATH_MAX + 64];
        int written = snprintf(line, sizeof line, "%s %s\n", call, whole);
        int file = open(log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
        if (file >= 0) {
            if (write(file, line, written) < 0) abort();
            close(file);
        }
    }
    errno = kept;
    return found;
}

static int refused(const char *call, int at, const char *path) {
    int number = rule(call, at, path);
    if (number >= 0) errno = number;
    return number >= 0;
}

// CALL(result, name, parameters, names of the parameters, name in the rule, directory, path)
#define CALL(name, parameters, names, call, at, path)          \
    int name parameters {                                      \
        return refused(call, at, path) ? -1 : REAL(name) names; \
    }

CALL(link, (const char *from, const char *to), (from, to), "link", AT_FDCWD, to)
CALL(linkat, (int at, const char *from, int to_at, const char *to, int flags), (at, from, to_at, to, flags), "link", to_at, to)
CALL(rename, (const char *from, const char *to), (from, to), "rename", AT_FDCWD, to)
CALL(renameat, (int at, const char *from, int to_at, const char *to), (at, from, to_at, to), "rename", to_at, to)
CALL(renameat2, (int at, const char *from, int to_at, const char *to, unsigned flags), (at, from, to_at, to, flags),
     "renameat2", to_at, to)
CALL(fsync, (int file), (file), "fsync", file, NULL)
CALL(fdatasync, (int file), (file), "fdatasync", file, NULL)
CALL(syncfs, (int file), (file), "syncfs", file, NULL)
CALL(futimens, (int file, const struct timespec times[2]), (file, times), "utimes", file, NULL)
CALL(utimensat, (int at, const char *path, const struct timespec times[2], int flags), (at, path, times, flags), "utimes", at, path)
CALL(chown, (const char *path, uid_t user, gid_t group), (path, user, group), "chown", AT_FDCWD, path)
CALL(lchown, (const char *path, uid_t user, gid_t group), (path, user, group), "chown", AT_FDCWD, path)
CALL(fchown, (int file, uid_t user, gid_t group), (file, user, group), "chown", file, NULL)
CALL(fchownat, (int at, const char *path, uid_t user, gid_t group, int flags), (at, path, user, group, flags), "chown", at, path)
CALL(chmod, (const char *path, mode_t mode), (path, mode), "chmod", AT_FDCWD, path)
CALL(fchmod, (int file, mode_t mode), (file, mode), "chmod", file, NULL)
CALL(fchmodat, (int at, const char *path, mode_t mode, int flags), (at, path, mode, flags), "chmod", at, path)

// LOOK(name, parameters, names of the parameters, directory, path, type of what is seen, its field)
static _Atomic unsigned long looks = 1UL << 40;
#define LOOK(name, parameters, names, at, path, field)                                     \
    int name parameters {                                                                  \
        int result = REAL(name) names;                                                     \
        if (result == 0 && rule("inode", at, path) >= 0) seen->field = atomic_fetch_add(&looks, 1); \
        return result;                                                                     \
    }

LOOK(stat, (const char *path, struct stat *seen), (path, seen), AT_FDCWD, path, st_ino)
LOOK(lstat, (const char *path, struct stat *seen), (path, seen), AT_FDCWD, path, st_ino)
LOOK(fstat, (int file, struct stat *seen), (file, seen), file, NULL, st_ino)
LOOK(fstatat, (int at, const char *path, struct stat *seen, int flags), (at, path, seen, flags), at, path, st_ino)
LOOK(stat64, (const char *path, struct stat64 *seen), (path, seen), AT_FDCWD, path, st_ino)
LOOK(lstat64, (const char *path, struct stat64 *seen), (path, seen), AT_FDCWD, path, st_ino)
LOOK(fstat64, (int file, struct stat64 *seen), (file, seen), file, NULL, st_ino)
LOOK(fstatat64, (int at, const char *path, struct stat64 *seen, int flags), (at, path, seen, flags), at, path, st_ino)
LOOK(statx, (int at, const char *path, int flags, unsigned mask, struct statx *seen), (at, path, flags, mask, seen), at, path,
     stx_ino)
