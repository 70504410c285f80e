/*
 * What the sandbox's conformance suite asks of a WASI program: the first word of the file `task` in the working folder
 * names the task. Built by `build`; the module is committed, so that no test needs a compiler.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Kept in memory that the compiler does not look through, so that nothing here is optimised away. */
static volatile unsigned long long sink;

static int put(const char *path, const void *bytes, size_t length) {
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (fd < 0) return -1;
  const char *from = bytes;
  while (length > 0) {
    ssize_t written = write(fd, from, length);
    if (written <= 0) return close(fd), -1;
    from += written;
    length -= (size_t)written;
  }
  return close(fd);
}

static int put_text(const char *path, const char *text) { return put(path, text, strlen(text)); }

static int put_size(const char *path, size_t length) {
  char *bytes = malloc(length);
  if (!bytes) return -1;
  memset(bytes, 'x', length);
  int result = put(path, bytes, length);
  free(bytes);
  return result;
}

static int put_many(int count, const char *text) {
  for (int i = 0; i < count; i++) {
    char path[40];
    snprintf(path, sizeof path, "results/%d", i);
    if (put_text(path, text)) return 1;
  }
  return 0;
}

static void greet(int argc, char **argv) {
  char text[200] = "", line[100] = "";
  FILE *in = fopen("data/in.txt", "r");
  if (in && fgets(line, sizeof line, in)) strcat(text, line);
  for (int i = 1; i < argc; i++) strcat(strcat(text, " "), argv[i]);
  strcat(strcat(text, " "), getenv("ASSAY_UNIT_ORDINAL"));
  mkdir("results/deep", 0755);
  put_text("results/deep/out.txt", text);
  puts("said");
  fputs("warned\n", stderr);
}

static void draw(void) {
  unsigned char random[16];
  char text[200];
  struct timespec now;
  getentropy(random, sizeof random);
  clock_gettime(CLOCK_REALTIME, &now);
  int at = snprintf(text, sizeof text, "%lld.%09ld ", (long long)now.tv_sec, now.tv_nsec);
  for (int i = 0; i < 16; i++) at += snprintf(text + at, sizeof text - at, "%02x", random[i]);
  put_text("results/out.txt", text);
}

static void wait_seconds(long seconds) {
  struct timespec start, end, pause = {seconds, 0};
  clock_gettime(CLOCK_REALTIME, &start);
  nanosleep(&pause, NULL);
  clock_gettime(CLOCK_REALTIME, &end);
  long long waited = (end.tv_sec - start.tv_sec) * 1000000000LL + end.tv_nsec - start.tv_nsec;
  printf("%lld %s\n", (long long)start.tv_sec, waited >= seconds * 1000000000LL ? "True" : "False");
}

static int fill_memory(void) {
  for (;;) {
    char *piece = malloc(16 << 20);
    if (!piece) return 1;
    memset(piece, 1, 16 << 20);
    sink += (unsigned long long)piece[5];
  }
}

static int fill_bytes(void) {
  static char block[65536];
  int fd = open("/tmp/big", O_WRONLY | O_CREAT, 0644);
  while (write(fd, block, sizeof block) > 0);
  return 1;
}

static int fill_files(void) {
  for (int i = 0;; i++) {
    char path[40];
    snprintf(path, sizeof path, "/tmp/%d", i);
    if (put_text(path, "")) return 1;
  }
}

static int reuse(void) {
  for (int i = 0; i < 40; i++)
    if (put_size("/tmp/t", 1000000) || unlink("/tmp/t")) return 1;
  return 0;
}

static int odd_names(void) {
  const char *names[] = {"plain.txt", "d/x", "..%2f..", "a\nb", "C:\\x", "CON", ".hidden", "end.", "-dash"};
  char path[100] = "results";
  mkdir("results/d", 0755);
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    char name[60];
    snprintf(name, sizeof name, "results/%s", names[i]);
    if (put_text(name, names[i])) return 1;
  }
  symlink("../main.wasm", "results/link");
  symlink("../..", "results/rootlink");
  symlink("plain.txt", "results/inner");
  for (char c = 'a'; c <= 'l'; c++) {
    size_t end = strlen(path);
    path[end] = '/', path[end + 1] = c, path[end + 2] = 0;
    mkdir(path, 0755);
  }
  return put_text(strcat(path, "/deep"), "deep") ? 1 : 0;
}

static unsigned long long count_up(void) {
  unsigned long long total = 0;
  for (unsigned i = 0; i < 300000000u; i++) total = total * 6364136223846793005ULL + i;
  return total;
}

static unsigned recurse(unsigned depth) {
  volatile char kept[64];
  kept[depth % 64] = (char)depth;
  if (sink == 1) return depth;
  return recurse(depth + 1) + (unsigned char)kept[depth % 64];
}

static int run(const char *task, int argc, char **argv) {
  if (!strcmp(task, "nothing")) return 0;
  if (!strcmp(task, "greet")) return greet(argc, argv), 0;
  if (!strcmp(task, "exit 7")) return 7;
  if (!strcmp(task, "abort")) abort();
  if (!strcmp(task, "recurse")) return sink = recurse(0), 0;
  if (!strcmp(task, "leave 9")) _Exit(9);
  if (!strcmp(task, "complain")) return fputs("why not\n", stderr), 1;
  if (!strcmp(task, "compute")) return sink = count_up(), 0;
  if (!strcmp(task, "change input")) return open("main.wasm", O_WRONLY) < 0 ? 1 : 0;
  if (!strcmp(task, "draw")) return draw(), 0;
  if (!strcmp(task, "wait")) return wait_seconds(2), 0;
  if (!strcmp(task, "spin")) for (;;) sink++;
  if (!strcmp(task, "sleep")) return wait_seconds(1000000000), 0;
  if (!strcmp(task, "flood log")) for (;;) puts("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
  if (!strcmp(task, "many outputs")) return put_many(21, "");
  if (!strcmp(task, "large output")) return put_size("results/big", 4 * 1024 * 1024 + 1) ? 1 : 0;
  if (!strcmp(task, "exact outputs")) return put_size("results/big", 4 * 1024 * 1024 - 19) || put_many(19, "y");
  if (!strcmp(task, "fill memory")) return fill_memory();
  if (!strcmp(task, "fill bytes")) return fill_bytes();
  if (!strcmp(task, "fill files")) return fill_files();
  if (!strcmp(task, "reuse")) return reuse();
  if (!strcmp(task, "odd names")) return odd_names();
  if (!strcmp(task, "twins")) return put_text("results/Twin", "1") || put_text("results/twin", "2");
  if (!strcmp(task, "replace folder")) return rmdir("results") || symlink("..", "results");
  if (!strcmp(task, "write x")) return put_text("results/x", "x") ? 1 : 0;
  fprintf(stderr, "no task %s\n", task);
  return 2;
}

int main(int argc, char **argv) {
  char task[60] = "";
  FILE *in = fopen("task", "r");
  if (!in || !fgets(task, sizeof task, in)) return 3;
  fclose(in);
  return run(task, argc, argv);
}
