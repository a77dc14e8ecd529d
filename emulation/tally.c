/* A plugin of QEMU: how many instructions a guest executes between two of its functions.
 *
 *     begin=ADDRESS      counting begins anew where this is executed
 *     end=ADDRESS        and ends where this is; a line is written down: the count, and that
 *                        of each part
 *     range=FIRST-END    what counts, so that no interrupt does; any number of these
 *     parts=FILE         lines "FIRST END NUMBER": where the last instruction of a block is, part
 *                        NUMBER begins or goes on; what is elsewhere belongs to the part that calls it
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
struct qemu_plugin_insn;
struct qemu_info;
void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id,
    void (*call)(uint64_t id, struct qemu_plugin_tb *block));
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *block,
    void (*call)(unsigned core, void *data), int flags, void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *block);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *block, size_t at);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *instruction);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *block);

__attribute__((visibility("default"))) int qemu_plugin_version = TALLY_VERSION;

enum { RANGES = 64, PARTS = 1024, PLACES = 8192, NO_PART = -1 };

struct range {
    uint64_t first, end;
};

struct place {
    struct range range;
    int part;
};

struct block {
    uint64_t address, instructions;
    int part; /* that it belongs to, or NO_PART: to the part before it */
};

static struct {
    uint64_t begin, end, total;
    struct range ranges[RANGES];
    size_t count;
    struct place places[PLACES];
    size_t placed;
    uint64_t parts[PARTS];
    int part, highest;
    bool counting;
    FILE *out;
} tally = { .highest = NO_PART };

static void begin(void)
{
    tally.counting = true;
    tally.total = 0;
    tally.part = 0;
    memset(tally.parts, 0, sizeof tally.parts);
}

static void end(void)
{
    tally.counting = false;
    fprintf(tally.out, "%" PRIu64, tally.total);
    for (int k = 0; k <= tally.highest; k++) {
        fprintf(tally.out, " %" PRIu64, tally.parts[k]);
    }
    fprintf(tally.out, "\n");
    fflush(tally.out);
}

static void ran(unsigned core, void *data)
{
    const struct block *const block = data;

    (void)core;
    if (block->address == tally.begin) {
        begin();
    }
    if (block->address == tally.end && tally.counting) {
        end();
    }
    if (tally.counting) {
        tally.part = block->part == NO_PART ? tally.part : block->part;
        tally.total += block->instructions;
        tally.parts[tally.part] += block->instructions;
    }
}

static int part_of(uint64_t address)
{
    for (size_t k = 0; k < tally.placed; k++) {
        const struct place *const one = &tally.places[k];

        if (address >= one->range.first && address < one->range.end) {
            return one->part;
        }
    }
    return NO_PART;
}

static void translated(uint64_t id, struct qemu_plugin_tb *given)
{
    const uint64_t address = qemu_plugin_tb_vaddr(given);
    struct block *const block = malloc(sizeof *block);

    (void)id;
    if (block == NULL) {
        abort();
    }
    const size_t last = qemu_plugin_tb_n_insns(given) - 1;
    *block = (struct block){ address, 0,
        part_of(qemu_plugin_insn_vaddr(qemu_plugin_tb_get_insn(given, last))) };
    for (size_t k = 0; k < tally.count; k++) {
        if (address >= tally.ranges[k].first && address < tally.ranges[k].end) {
            block->instructions = qemu_plugin_tb_n_insns(given);
        }
    }
    qemu_plugin_register_vcpu_tb_exec_cb(given, ran, 0, block); /* kept as long as QEMU lives */
}

static void take_parts(const char *path)
{
    FILE *const file = fopen(path, "r");
    struct place one;

    if (file == NULL) {
        abort();
    }
    while (fscanf(file, "%" SCNu64 " %" SCNu64 " %d", &one.range.first, &one.range.end,
               &one.part) == 3) {
        if (tally.placed == PLACES || one.part < 0 || one.part >= PARTS) {
            abort();
        }
        tally.highest = one.part > tally.highest ? one.part : tally.highest;
        tally.places[tally.placed++] = one;
    }
    fclose(file);
}

static void take(const char *word)
{
    if (strncmp(word, "begin=", 6) == 0) {
        tally.begin = strtoull(word + 6, NULL, 0);
    } else if (strncmp(word, "end=", 4) == 0) {
        tally.end = strtoull(word + 4, NULL, 0);
    } else if (strncmp(word, "out=", 4) == 0) {
        tally.out = fopen(word + 4, "w");
    } else if (strncmp(word, "parts=", 6) == 0) {
        take_parts(word + 6);
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
