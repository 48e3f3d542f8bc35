/* Names: making, finding, moving and removing what a directory holds. */
#include "promise.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

void create_and_open(void) {
    int fd = OK(open("f", O_RDWR | O_CREAT | O_EXCL, 0640));
    IS((of("f").st_mode & 07777) == 0640);
    FAILS(open("f", O_RDWR | O_CREAT | O_EXCL, 0640), EEXIST);
    IS(write(fd, "abc", 3) == 3 && of("f").st_size == 3);
    close(fd);
    OK(close(OK(open("f", O_WRONLY | O_TRUNC))));
    IS(of("f").st_size == 0);
    FAILS(open("none", O_RDONLY), ENOENT);
    FAILS(open("f/x", O_RDONLY), ENOTDIR);
    FAILS(open("f", O_RDONLY | O_DIRECTORY), ENOTDIR);
    OK(mkdir("d", 0755));
    FAILS(open("d", O_WRONLY), EISDIR);
    FAILS(open("d", O_RDWR | O_CREAT, 0644), EISDIR);
    FAILS(open("", O_RDONLY), ENOENT);
    OK(symlink("f", "l"));
    FAILS(open("l", O_RDONLY | O_NOFOLLOW), ELOOP);
    OK(symlink("made", "dangling"));
    OK(close(OK(open("dangling", O_WRONLY | O_CREAT, 0644))));
    IS(S_ISREG(of("made").st_mode));
    FAILS(open("dangling", O_WRONLY | O_CREAT | O_EXCL, 0644), EEXIST);
}

void names(void) {
    FAILS(open(long_name(256), O_WRONLY | O_CREAT, 0644), ENAMETOOLONG);
    OK(close(OK(open(long_name(255), O_WRONLY | O_CREAT, 0644))));
    OK(unlink(long_name(255)));
    FAILS(mkdir(long_name(256), 0755), ENAMETOOLONG);
    FAILS(symlink("x", long_name(256)), ENAMETOOLONG);
    put("a\nb\x01\xff *?", "odd");
    IS(is("a\nb\x01\xff *?", "odd"));
    put("\xc3\xa4\xe2\x82\xac", "unicode");
    IS(is("\xc3\xa4\xe2\x82\xac", "unicode"));
    FAILS(rename("none", "x"), ENOENT);
}

void directories(void) {
    OK(mkdir("d", 0755));
    FAILS(mkdir("d", 0755), EEXIST);
    FAILS(mkdir("none/d", 0755), ENOENT);
    put("f", "");
    FAILS(mkdir("f/d", 0755), ENOTDIR);
    FAILS(mkdir("f", 0755), EEXIST);
    FAILS(rmdir("f"), ENOTDIR);
    FAILS(rmdir("none"), ENOENT);
    put("d/f", "");
    FAILS(rmdir("d"), ENOTEMPTY);
    FAILS(rmdir("d/."), EINVAL);
    FAILS(unlink("d"), EISDIR);
    IS(of("d").st_nlink == 2);
    OK(mkdir("d/e", 0755));
    IS(of("d").st_nlink == 3);
    OK(unlink("d/f"));
    OK(rmdir("d/e"));
    OK(rmdir("d"));
    FAILS(lstat("d", &(struct stat){0}), ENOENT);
}

void unlinking(void) {
    put("f", "content");
    int fd = OK(open("f", O_RDWR));
    OK(unlink("f"));
    FAILS(unlink("f"), ENOENT);
    struct stat info;
    OK(fstat(fd, &info));
    IS(info.st_nlink == 0 && info.st_size == 7);
    char text[8] = "";
    IS(pread(fd, text, 7, 0) == 7 && strcmp(text, "content") == 0);
    IS(pwrite(fd, "CON", 3, 0) == 3 && pread(fd, text, 7, 0) == 7 && strcmp(text, "CONtent") == 0);
    OK(ftruncate(fd, 3));
    OK(fchmod(fd, 0600));
    OK(fstat(fd, &info));
    IS(info.st_size == 3 && (info.st_mode & 07777) == 0600);
    put("f", "other");
    IS(pread(fd, text, 7, 0) == 3);
    close(fd);
    IS(is("f", "other"));
    OK(mkdir("d", 0755));
    int directory = OK(open("d", O_RDONLY | O_DIRECTORY));
    OK(rmdir("d"));
    FAILS(openat(directory, "x", O_WRONLY | O_CREAT, 0644), ENOENT);
    close(directory);
}

void hard_links(void) {
    put("a", "shared");
    OK(link("a", "b"));
    IS(of("a").st_ino == of("b").st_ino && of("a").st_nlink == 2 && of("b").st_nlink == 2);
    int fd = OK(open("a", O_WRONLY));
    IS(pwrite(fd, "SH", 2, 0) == 2);
    close(fd);
    IS(is("b", "SHared"));
    FAILS(link("a", "b"), EEXIST);
    FAILS(link("none", "c"), ENOENT);
    OK(mkdir("d", 0755));
    FAILS(link("d", "c"), EPERM);
    OK(unlink("a"));
    IS(of("b").st_nlink == 1 && is("b", "SHared"));
    OK(rename("b", "d/b"));
    OK(link("d/b", "a"));
    IS(is("a", "SHared"));
    OK(symlink("a", "l"));
    OK(linkat(AT_FDCWD, "l", AT_FDCWD, "l2", 0));
    IS(S_ISLNK(of("l2").st_mode) && of("l").st_nlink == 2);
    OK(rename("a", "d/b"));
    IS(of("a").st_ino == of("d/b").st_ino);
}

void symbolic_links(void) {
    char text[PATH_MAX];
    OK(symlink("target", "l"));
    IS(readlink("l", text, sizeof text) == 6 && memcmp(text, "target", 6) == 0);
    IS(of("l").st_size == 6 && S_ISLNK(of("l").st_mode));
    FAILS(stat("l", &(struct stat){0}), ENOENT);
    put("target", "found");
    IS(is("l", "found"));
    FAILS(symlink("x", "l"), EEXIST);
    FAILS(readlink("target", text, sizeof text), EINVAL);
    OK(symlink("loop2", "loop1"));
    OK(symlink("loop1", "loop2"));
    FAILS(open("loop1", O_RDONLY), ELOOP);
    FAILS(open("loop1/x", O_RDONLY), ELOOP);
    OK(symlink("/", "root"));
    OK(symlink("../../../../../../../../proc", "up"));
    IS(access("up/self", F_OK) == 0);
    IS(lchown("l", 0, 0) == 0);
    char *target = long_name(4095);
    OK(symlink(target, "long"));
    IS(readlink("long", text, sizeof text) == 4095);
}

void renaming(void) {
    put("a", "a");
    put("b", "b");
    OK(rename("a", "c"));
    IS(is("c", "a") && access("a", F_OK) != 0);
    OK(rename("c", "b"));
    IS(is("b", "a"));
    OK(mkdir("d", 0755));
    OK(mkdir("e", 0755));
    put("e/f", "");
    FAILS(rename("b", "d"), EISDIR);
    FAILS(rename("d", "b"), ENOTDIR);
    FAILS(rename("d", "e"), ENOTEMPTY);
    FAILS(rename("d", "d/sub"), EINVAL);
    OK(rename("b", "d/b"));
    OK(rename("d", "moved"));
    IS(is("moved/b", "a"));
    OK(rename("moved", "e/moved"));
    IS(is("e/moved/b", "a"));
    int fd = OK(open("e/moved/b", O_RDWR));
    OK(rename("e/moved/b", "free"));
    IS(pwrite(fd, "z", 1, 0) == 1);
    close(fd);
    IS(is("free", "z"));
    put("x", "x");
    put("y", "y");
    int replaced = OK(open("y", O_RDONLY));
    OK(rename("x", "y"));
    char byte;
    IS(read(replaced, &byte, 1) == 1 && byte == 'y');
    close(replaced);
}

static int rename2(const char *from, const char *to, unsigned flags) {
    return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags);
}

void renaming_with_flags(void) {
    put("a", "a");
    put("b", "b");
    FAILS(rename2("a", "b", RENAME_NOREPLACE), EEXIST);
    OK(rename2("a", "c", RENAME_NOREPLACE));
    OK(rename2("b", "c", RENAME_EXCHANGE));
    IS(is("b", "a") && is("c", "b"));
    FAILS(rename2("b", "none", RENAME_EXCHANGE), ENOENT);
    OK(mkdir("d", 0755));
    put("d/inside", "i");
    OK(rename2("d", "b", RENAME_EXCHANGE));
    IS(is("b/inside", "i") && is("d", "a"));
    put("b/later", "l");
    IS(is("b/later", "l"));
}
