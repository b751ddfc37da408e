//! The register tile of Cortex-M4F, M7 and M33: 4 x 4 sums in s0 to s15, in assembly.
//!
//! Two steps of k take 32 `vfma.f32` and 10 other instructions: the other 16 registers hold the operands of
//! both steps, so that one `vldm` loads two or four of them and neither operand needs packing, transposed or
//! not. A function of its own in the C calling convention, because stable Rust cannot name floating-point
//! registers here.

use core::arch::naked_asm;

use super::{Sums, factor::Factor};

/// The chains sums[4 r + c] = fma(a[top + r][p], b[left + c][p], sums[4 r + c]) from +0.0 over the block of k
/// that begins at p = start. Writes nothing where there is none.
#[inline(never)]
pub(super) fn sums(a: &Factor<'_>, top: usize, b: &Factor<'_>, left: usize, start: usize, sums: &mut Sums) {
    let tile: Tile = match (a.is_beside(), b.is_beside()) {
        (false, false) => apart_apart,
        (false, true) => apart_beside,
        (true, false) => beside_apart,
        (true, true) => beside_beside,
    };
    let (Some(a), Some(b)) = (a.place(top, 4, start), b.place(left, 4, start)) else { return };
    // SAFETY: the function reads that many steps of four lines of each factor, which are in borrowed data,
    // and writes `sums`.
    unsafe { tile(a.first, a.stride, b.first, b.stride, a.steps.min(b.steps), sums) }
}

/// Reads `steps` > 0 elements of four lines from `a` and four from `b` and writes the 16 sums.
type Tile = unsafe extern "C" fn(
    a: *const f32,
    a_stride: usize,
    b: *const f32,
    b_stride: usize,
    steps: usize,
    sums: *mut Sums,
);

/// r0 to r3 are the arguments, r12 counts the pairs of steps. Of lines that are apart, the other three get
/// pointers r4, r5, r1 (A) and r6, r7, r3 (B), which replace the stride. s16 to s23 hold A, s24 to s31 B.
///
/// An odd number of steps enters the loop in its middle, with that step's operands where the second of a pair
/// has them. The counter starts at (steps - 1) / 2 either way.
macro_rules! tile {
    ($name:ident: $a:ident [$($a0:literal)*] [$($a1:literal)*], $b:ident [$($b0:literal)*] [$($b1:literal)*]) => {
        #[unsafe(naked)]
        unsafe extern "C" fn $name(
            a: *const f32,
            a_stride: usize,
            b: *const f32,
            b_stride: usize,
            steps: usize,
            sums: *mut Sums,
        ) {
            naked_asm!(
                ".fpu fpv4-sp-d16",
                "push {{r4-r7}}",
                "vpush {{s16-s31}}",
                "mov r12, #0",
                "vmov d0, r12, r12",
                "vmov d1, r12, r12",
                "vmov d2, r12, r12",
                "vmov d3, r12, r12",
                "vmov d4, r12, r12",
                "vmov d5, r12, r12",
                "vmov d6, r12, r12",
                "vmov d7, r12, r12",
                "ldr r12, [sp, #80]",
                $a!(a pointers),
                $b!(b pointers),
                "sub r12, r12, #1",
                "lsrs r12, r12, #1",
                "bcs 2f",
                $a!(a one),
                $b!(b one),
                "b 3f",
                "2:",
                $a!(a two),
                $b!(b two),
                step!([$($a0)*] [$($b0)*]),
                "3:",
                step!([$($a1)*] [$($b1)*]),
                "subs r12, r12, #1",
                "bpl 2b",
                "ldr r12, [sp, #84]",
                "vstmia r12, {{s0-s15}}",
                "vpop {{s16-s31}}",
                "pop {{r4-r7}}",
                "bx lr",
            )
        }
    };
}

/// Four lines whose elements are consecutive.
macro_rules! apart {
    (a pointers) => {
        "add r4, r0, r1\nadd r5, r4, r1\nadd r1, r5, r1"
    };
    (a two) => {
        "vldmia r0!, {{s16-s17}}\nvldmia r4!, {{s18-s19}}\nvldmia r5!, {{s20-s21}}\nvldmia r1!, {{s22-s23}}"
    };
    (a one) => {
        "vldmia r0!, {{s17}}\nvldmia r4!, {{s19}}\nvldmia r5!, {{s21}}\nvldmia r1!, {{s23}}"
    };
    (b pointers) => {
        "add r6, r2, r3\nadd r7, r6, r3\nadd r3, r7, r3"
    };
    (b two) => {
        "vldmia r2!, {{s24-s25}}\nvldmia r6!, {{s26-s27}}\nvldmia r7!, {{s28-s29}}\nvldmia r3!, {{s30-s31}}"
    };
    (b one) => {
        "vldmia r2!, {{s25}}\nvldmia r6!, {{s27}}\nvldmia r7!, {{s29}}\nvldmia r3!, {{s31}}"
    };
}

/// Four lines beside each other: the elements of one step are consecutive.
macro_rules! beside {
    ($operand:ident pointers) => {
        ""
    };
    (a two) => {
        "vldmia r0, {{s16-s19}}\nadd r0, r0, r1\nvldmia r0, {{s20-s23}}\nadd r0, r0, r1"
    };
    (a one) => {
        "vldmia r0, {{s20-s23}}\nadd r0, r0, r1"
    };
    (b two) => {
        "vldmia r2, {{s24-s27}}\nadd r2, r2, r3\nvldmia r2, {{s28-s31}}\nadd r2, r2, r3"
    };
    (b one) => {
        "vldmia r2, {{s28-s31}}\nadd r2, r2, r3"
    };
}

/// One step of k: the registers of four elements of A times those of four elements of B.
macro_rules! step {
    ([$a0:literal $a1:literal $a2:literal $a3:literal] $b:tt) => {
        concat!(
            row!([0 1 2 3] $a0 $b),
            row!([4 5 6 7] $a1 $b),
            row!([8 9 10 11] $a2 $b),
            row!([12 13 14 15] $a3 $b),
        )
    };
}

macro_rules! row {
    ([$($sum:literal)*] $a:literal [$($b:literal)*]) => {
        concat!($("vfma.f32 s", $sum, ", s", $a, ", s", $b, "\n",)*)
    };
}

tile!(apart_apart: apart [16 18 20 22] [17 19 21 23], apart [24 26 28 30] [25 27 29 31]);
tile!(apart_beside: apart [16 18 20 22] [17 19 21 23], beside [24 25 26 27] [28 29 30 31]);
tile!(beside_apart: beside [16 17 18 19] [20 21 22 23], apart [24 26 28 30] [25 27 29 31]);
tile!(beside_beside: beside [16 17 18 19] [20 21 22 23], beside [24 25 26 27] [28 29 30 31]);
