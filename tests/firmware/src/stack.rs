//! How much of the stack a program has used: the free part is painted, and later searched for paint.

use core::arch::asm;
use core::ptr::{addr_of, addr_of_mut};

/// What no program writes in a row.
const PAINT: u32 = 0xa5a5_a5a5;
/// Bytes below the stack pointer that painting leaves alone: it has a frame of its own.
const MARGIN: usize = 32;

unsafe extern "C" {
    /// The end of the static variables, where the stack may grow to: from cortex-m-rt's linker script.
    static mut __euninit: u32;
    static _stack_start: u32;
}

#[inline(always)]
fn stack_pointer() -> usize {
    let sp: usize;
    // SAFETY: reads a register.
    unsafe { asm!("mov {}, sp", out(reg) sp, options(nomem, nostack, preserves_flags)) };
    sp
}

/// The words that no call has reached yet: from the end of the static variables up to the stack pointer.
#[inline(always)]
fn free() -> (*mut u32, usize) {
    let bottom = addr_of_mut!(__euninit);
    let bytes = (stack_pointer() - MARGIN).saturating_sub(bottom as usize);
    (bottom, bytes / 4)
}

/// Paints what is free.
#[inline(never)]
pub fn paint() {
    let (bottom, words) = free();
    for word in 0..words {
        // SAFETY: between the static variables and the stack pointer nothing lives, and the machine has one thread.
        unsafe { bottom.add(word).write_volatile(PAINT) };
    }
}

/// Bytes of stack that were used since [`paint`], the caller's frames included, and bytes that were never touched.
#[inline(never)]
pub fn used_and_left() -> (usize, usize) {
    let (bottom, words) = free();
    // SAFETY: as in `paint`; what is read are integers.
    let untouched =
        (0..words).take_while(|word| unsafe { bottom.add(*word).read_volatile() } == PAINT).count();
    let top = addr_of!(_stack_start);
    let left = 4 * untouched;
    (top as usize - bottom as usize - left, left)
}

/// Bytes of stack that a call needs.
#[inline(never)]
pub fn used_by(call: impl FnOnce()) -> usize {
    /// A frame of its own, also for what is inlined into it.
    #[inline(never)]
    fn framed(call: impl FnOnce()) {
        call();
    }
    paint();
    framed(call);
    let (used, _) = used_and_left();
    let top = addr_of!(_stack_start);
    used - (top as usize - stack_pointer())
}
