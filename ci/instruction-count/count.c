/* QEMU plugin: instructions and modelled Cortex-M4 cycles between the marks `mov r9, r9` and `mov r10, r10`.
 *
 * The cycles are those of the tables in the Cortex-M4 Technical Reference Manual, for memory without wait
 * states. Where the tables leave a range the higher figure is taken, and no overlap of neighbouring loads is
 * assumed, but every taken branch costs three. A model, not a measurement.
 *
 * The disassembler calls r9 sb and r10 sl.
 *
 * Debian's QEMU loads plugins but comes without their header, so what is needed of its interface (version 1,
 * that of QEMU 7.2) is declared here.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
enum qemu_plugin_cb_flags { QEMU_PLUGIN_CB_NO_REGS };

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
char *qemu_plugin_insn_disas(const struct qemu_plugin_insn *insn);
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id,
                                           void (*translated)(qemu_plugin_id_t, struct qemu_plugin_tb *));
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn, void (*executed)(unsigned, void *),
                                            enum qemu_plugin_cb_flags flags, void *data);

__attribute__((visibility("default"))) int qemu_plugin_version = 1;

struct instruction {
    uint64_t address, end;
    unsigned cycles;
    enum { ORDINARY, BEGIN, END } mark;
};

static bool counting;
static uint64_t instructions, cycles;
static uint64_t expected; /* address of the next instruction unless a branch is taken */

static bool begins(const char *text, const char *prefix) { return strncmp(text, prefix, strlen(prefix)) == 0; }

/* Registers in the braces of a load or store of several; QEMU's disassembler writes out each. */
static unsigned registers(const char *text) {
    unsigned count = 1;
    for (text = strchr(text, '{'); text && *text && *text != '}'; text++)
        count += *text == ',';
    return count;
}

static unsigned operands(const char *text) {
    unsigned count = 1;
    for (; *text; text++)
        count += *text == ',';
    return count;
}

/* Cycles of an instruction that does not branch; a taken branch adds two for the refilled pipeline. */
static unsigned model(const char *text) {
    static const struct {
        const char *prefix;
        unsigned cycles;
    } table[] = {
        {"vfma", 3}, {"vfms", 3}, {"vfnm", 3}, {"vmla", 3}, {"vmls", 3}, {"vnml", 3},
        {"vdiv", 14}, {"vsqrt", 14}, {"vldr", 2}, {"vstr", 2},
        {"ldrd", 3}, {"strd", 3}, {"mla", 2}, {"mls", 2}, {"udiv", 12}, {"sdiv", 12},
    };
    if (begins(text, "vldm") || begins(text, "vstm") || begins(text, "vpush") || begins(text, "vpop") ||
        begins(text, "ldm") || begins(text, "stm") || begins(text, "push") || begins(text, "pop"))
        return 1 + registers(text);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (begins(text, table[i].prefix))
            return table[i].cycles;
    if (begins(text, "ldr") || begins(text, "str"))
        return 2;
    if (begins(text, "vmov") && operands(text) > 2)
        return 2;
    return 1;
}

static void executed(unsigned cpu, void *data) {
    const struct instruction *instruction = data;
    (void)cpu;
    if (instruction->mark == BEGIN) {
        counting = true;
        instructions = cycles = 0;
    } else if (instruction->mark == END) {
        counting = false;
        printf("count %" PRIu64 " %" PRIu64 "\n", instructions, cycles);
        fflush(stdout);
    } else if (counting) {
        instructions++;
        cycles += instruction->cycles + (instruction->address == expected ? 0 : 2);
    }
    expected = instruction->end;
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *block) {
    (void)id;
    for (size_t i = 0; i < qemu_plugin_tb_n_insns(block); i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(block, i);
        struct instruction *instruction = malloc(sizeof *instruction); /* lives as long as the translation: to the end */
        char *text = qemu_plugin_insn_disas(insn);
        if (!instruction || !text) {
            fputs("the plugin needs memory and QEMU's disassembler\n", stderr);
            exit(1);
        }
        instruction->address = qemu_plugin_insn_vaddr(insn);
        instruction->end = instruction->address + qemu_plugin_insn_size(insn);
        instruction->cycles = model(text);
        instruction->mark = begins(text, "mov sb, sb") ? BEGIN : begins(text, "mov sl, sl") ? END : ORDINARY;
        if (getenv("COUNT_SHOW"))
            fprintf(stderr, "%08" PRIx64 " %u %s\n", instruction->address, instruction->cycles, text);
        free(text);
        qemu_plugin_register_vcpu_insn_exec_cb(insn, executed, QEMU_PLUGIN_CB_NO_REGS, instruction);
    }
}

__attribute__((visibility("default"))) int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc,
                                                               char **argv) {
    (void)info, (void)argc, (void)argv;
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    return 0;
}
