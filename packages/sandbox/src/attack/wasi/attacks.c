/*
 * The attacks of a WASI program: the first line of the file `task` in the working folder names one, the others are the
 * canary's path and what its secret begins with. Built by `build`; the module is committed, so that no test needs a
 * compiler.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

extern char **environ;

static char task[64], canary[256], needle[64];
static char block[1 << 20];

static void escaped(const char *what) {
  printf("%s%s %s\n", "ESC", "APED", what);
  fflush(stdout);
}

/* Prints a file's beginning; in the open setting that is the secret. */
static int tell(const char *path) {
  char text[200] = "";
  int fd = open(path, O_RDONLY);
  if (fd < 0) return 0;
  ssize_t size = read(fd, text, sizeof text - 1);
  close(fd);
  if (size <= 0) return 0;
  printf("%s\n", text);
  return 1;
}

static void climb(const char *prefix) {
  char path[400];
  for (int depth = 0; depth < 12; depth++) {
    strcpy(path, prefix);
    for (int i = 0; i < depth; i++) strcat(path, "/..");
    strcat(path, "/canary");
    tell(path);
  }
}

static void by_symlink(void) {
  symlink("..", "up");
  symlink("/", "root");
  climb("up");
  char path[300];
  snprintf(path, sizeof path, "root%s", canary);
  tell(path);
}

static void by_path(void) {
  tell(canary);
  tell("/host/canary");
  climb(".");
  climb("results");
}

static void by_descriptor(void) {
  for (int fd = 3; fd < 64; fd++) {
    char text[200] = "";
    int file = openat(fd, "canary", O_RDONLY);
    if (file >= 0 && read(file, text, sizeof text - 1) > 0) printf("%s\n", text);
  }
}

static void fill(const char *folder, int files, int mib) {
  char path[100];
  long written = 0;
  for (int i = 0; i < files; i++) {
    snprintf(path, sizeof path, "%s/fill%d", folder, i);
    int fd = open(path, O_CREAT | O_WRONLY, 0600);
    if (fd < 0) return;
    for (int n = 0; n < mib; n++) {
      if (write(fd, block, sizeof block) != sizeof block) return;
      written++;
    }
    close(fd);
  }
  snprintf(path, sizeof path, "%d files, %ld MiB", files, written);
  escaped(path);
}

/* Volatile, so that no compiler leaves out what nobody reads. */
static volatile char *some;

static void take_memory(void) {
  for (int i = 0; i < 640; i++) {
    some = malloc(sizeof block);
    if (!some) return;
    for (unsigned at = 0; at < sizeof block; at += 4096) some[at] = (char)i;
  }
  escaped("640 MiB");
}

static void talk(FILE *stream) {
  memset(block, 'x', sizeof block);
  for (int i = 0; i < 4; i++) fwrite(block, 1, sizeof block - 1, stream), fputc('\n', stream);
  escaped("4 MiB of log");
}

static void put(const char *path) {
  int fd = open(path, O_CREAT | O_WRONLY, 0600);
  if (fd >= 0) write(fd, "x", 1), close(fd);
}

static void odd_names(void) {
  char name[100];
  snprintf(name, sizeof name, "results/x\n%s%s by name", "ESC", "APED");
  put(name);
  put("results/..%2f..%2fx");
  put("results/\x1b[2Jx");
}

static void many(void) {
  char name[60];
  for (int i = 0; i < 1500; i++) snprintf(name, sizeof name, "results/%d", i), put(name);
}

static void deep(void) {
  static char path[1000] = "results";
  for (int i = 0; i < 300; i++) strcat(path, "/d"), mkdir(path, 0700);
  strcat(path, "/x");
  put(path);
}

static void sparse(void) {
  int fd = open("results/sparse", O_CREAT | O_WRONLY, 0600);
  if (fd >= 0 && ftruncate(fd, 1LL << 40) == 0) puts("it took the size");
}

static void seek_neighbour(void) {
  const char *places[] = {"/tmp", "/tmp/neighbour", ".", "/job", "/", "/assay"};
  for (int i = 0; i < 6; i++) {
    DIR *folder = opendir(places[i]);
    if (!folder) continue;
    for (struct dirent *entry; (entry = readdir(folder));) {
      char path[400], text[200] = "";
      snprintf(path, sizeof path, "%s/%s", places[i], entry->d_name);
      int fd = strcmp(entry->d_name, "task") ? open(path, O_RDONLY) : -1;
      if (fd >= 0 && read(fd, text, sizeof text - 1) > 0 && strstr(text, needle)) printf("%s\n", text);
      if (fd >= 0) close(fd);
    }
    closedir(folder);
  }
}

static void hide(void) {
  char text[200] = "";
  int fd = open("mine", O_RDONLY), out = open("/tmp/mine", O_CREAT | O_WRONLY, 0600);
  ssize_t size = read(fd, text, sizeof text);
  if (size > 0) write(out, text, size);
  for (int i = 0; i < 60; i++) sleep(1);
}

int main(void) {
  FILE *in = fopen("task", "r");
  if (!in || fscanf(in, "%63s %255s %63s", task, canary, needle) < 1) return 3;
  if (!strcmp(task, "wasi.symlink")) by_symlink();
  else if (!strcmp(task, "wasi.path")) by_path();
  else if (!strcmp(task, "wasi.descriptor")) by_descriptor();
  else if (!strcmp(task, "leaks.environment")) for (char **one = environ; *one; one++) puts(*one);
  else if (!strcmp(task, "memory.heap")) take_memory();
  else if (!strcmp(task, "disk.scratch")) fill("/tmp", 1, 256);
  else if (!strcmp(task, "disk.results")) fill("results", 256, 1);
  else if (!strcmp(task, "disk.inodes")) fill("/tmp", 30000, 0);
  else if (!strcmp(task, "logs.stdout")) talk(stdout);
  else if (!strcmp(task, "logs.stderr")) talk(stderr);
  else if (!strcmp(task, "outputs.names")) odd_names();
  else if (!strcmp(task, "outputs.many")) many();
  else if (!strcmp(task, "outputs.deep")) deep();
  else if (!strcmp(task, "outputs.sparse")) sparse();
  else if (!strcmp(task, "jobs.neighbour")) seek_neighbour();
  else if (!strcmp(task, "hide")) hide();
  else return 4;
  return 0;
}
