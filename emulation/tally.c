/* A plugin of QEMU: how many instructions a guest executes between two of its functions.
 *
 *     begin=ADDRESS      counting begins anew where this is executed
 *     end=ADDRESS        and ends where this is; the count is written down, a line each
 *     range=FIRST-END    what counts, so that no interrupt does; any number of these
 *     out=FILE
 *
 * QEMU translates blocks of instructions, and calls `ran` before each block that it executes:
 * a block is executed as a whole, and both addresses are beginnings of functions, hence of
 * blocks. The prototypes are those of qemu-plugin.h, which no package brings.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct qemu_plugin_tb;
struct qemu_info;
void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id,
    void (*call)(uint64_t id, struct qemu_plugin_tb *block));
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *block,
    void (*call)(unsigned core, void *data), int flags, void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *block);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *block);

__attribute__((visibility("default"))) int qemu_plugin_version = TALLY_VERSION;

enum { RANGES = 64 };

struct range {
    uint64_t first, end;
};

struct block {
    uint64_t address, instructions;
};

static struct {
    uint64_t begin, end, total;
    struct range ranges[RANGES];
    size_t count;
    bool counting;
    FILE *out;
} tally;

static void ran(unsigned core, void *data)
{
    const struct block *const block = data;

    (void)core;
    if (block->address == tally.begin) {
        tally.counting = true;
        tally.total = 0;
    }
    if (block->address == tally.end && tally.counting) {
        tally.counting = false;
        fprintf(tally.out, "%" PRIu64 "\n", tally.total);
        fflush(tally.out);
    }
    tally.total += tally.counting ? block->instructions : 0;
}

static void translated(uint64_t id, struct qemu_plugin_tb *given)
{
    const uint64_t address = qemu_plugin_tb_vaddr(given);
    struct block *const block = malloc(sizeof *block);

    (void)id;
    if (block == NULL) {
        abort();
    }
    *block = (struct block){ address, 0 };
    for (size_t k = 0; k < tally.count; k++) {
        if (address >= tally.ranges[k].first && address < tally.ranges[k].end) {
            block->instructions = qemu_plugin_tb_n_insns(given);
        }
    }
    qemu_plugin_register_vcpu_tb_exec_cb(given, ran, 0, block); /* kept as long as QEMU lives */
}

static void take(const char *word)
{
    if (strncmp(word, "begin=", 6) == 0) {
        tally.begin = strtoull(word + 6, NULL, 0);
    } else if (strncmp(word, "end=", 4) == 0) {
        tally.end = strtoull(word + 4, NULL, 0);
    } else if (strncmp(word, "out=", 4) == 0) {
        tally.out = fopen(word + 4, "w");
    } else if (strncmp(word, "range=", 6) == 0 && tally.count < RANGES) {
        char *rest;
        const uint64_t first = strtoull(word + 6, &rest, 0);
        tally.ranges[tally.count++] = (struct range){ first, strtoull(rest + 1, NULL, 0) };
    }
}

__attribute__((visibility("default"))) int qemu_plugin_install(uint64_t id,
    const struct qemu_info *info, int argc, char **argv);

int qemu_plugin_install(uint64_t id, const struct qemu_info *info, int argc, char **argv)
{
    (void)info;
    for (int k = 0; k < argc; k++) {
        take(argv[k]);
    }
    if (tally.out == NULL) {
        return 1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    return 0;
}
