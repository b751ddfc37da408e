/* The start of a program on the Cortex-M4F of Arm's MPS2 board (AN386), which QEMU emulates. newlib does the rest. */
#include <stdint.h>

extern uint32_t stack_top[];
extern void _start(void);

static void reset(void) {
    volatile uint32_t *cpacr = (volatile uint32_t *)0xe000ed88;
    *cpacr |= 0xfu << 20; /* the floating-point unit */
    __asm volatile("dsb\n\tisb");
    _start();
}

/* Ends QEMU: semihosting's SYS_EXIT with no reason that it takes for success. */
static void fault(void) {
    __asm volatile("movs r0, #0x18\n\tmovs r1, #0\n\tbkpt 0xab");
}

/* After the stack: reset, NMI, HardFault, MemManage, BusFault, UsageFault. */
__attribute__((section(".vectors"), used)) static const struct {
    void *stack;
    void (*handlers[6])(void);
} vectors = {stack_top, {reset, fault, fault, fault, fault, fault}};
