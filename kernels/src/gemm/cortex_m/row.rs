//! One line times several, in assembly: the products with fewer than four rows or columns, such as those of a
//! single example.
//!
//! Each element of the several lines is used once, so their loads bound the speed: 16 lines beside each other
//! share the load of the one line's element.

use core::arch::naked_asm;

use super::{Sums, factor::Factor};

/// How many lines of a factor to multiply by one of another at a time.
pub(super) fn many(lines: &Factor<'_>) -> usize {
    match lines.count() {
        0..4 => 1,
        4..16 => 4,
        _ => 16,
    }
}

/// The chains sums[j] = fma(x[one][p], lines[at + j][p], sums[j]) from +0.0 over the block of k that begins
/// at p = start, for j < count as [`many`] said. Writes nothing where there is no such block.
#[inline(never)]
pub(super) fn sums(
    x: &Factor<'_>,
    one: usize,
    lines: &Factor<'_>,
    at: usize,
    count: usize,
    start: usize,
    sums: &mut Sums,
) {
    let (row, lines_at_once): (Row, _) = match (count, lines.is_beside()) {
        (16, true) => (sixteen_beside, 16),
        (4, true) => (four_beside, 4),
        (4 | 16, false) => (four_apart, 4),
        (1, _) => (single, 1),
        _ => return,
    };
    let Some(x) = x.place(one, 1, start) else { return };
    for (i, sums) in sums.chunks_exact_mut(lines_at_once).take(count / lines_at_once).enumerate() {
        let Some(place) = lines.place(at + i * lines_at_once, lines_at_once, start) else { return };
        let stride = if count == 1 { place.step } else { place.stride };
        // SAFETY: the function reads that many steps of one line and of `lines_at_once` others, which are in
        // borrowed data, and writes as many sums as `sums` has.
        unsafe { row(x.first, x.step, place.first, stride, x.steps.min(place.steps), sums.as_mut_ptr()) }
    }
}

/// Reads `steps` > 0 elements of one line from `x` and of several from `lines`, and writes a sum for each of
/// these.
type Row = unsafe extern "C" fn(
    x: *const f32,
    x_stride: usize,
    lines: *const f32,
    stride: usize,
    steps: usize,
    sums: *mut f32,
);

#[unsafe(naked)]
unsafe extern "C" fn sixteen_beside(
    x: *const f32,
    x_stride: usize,
    lines: *const f32,
    stride: usize,
    steps: usize,
    sums: *mut f32,
) {
    naked_asm!(
        ".fpu fpv4-sp-d16",
        "vpush {{s16-s24}}",
        "mov r12, #0",
        "vmov d0, r12, r12",
        "vmov d1, r12, r12",
        "vmov d2, r12, r12",
        "vmov d3, r12, r12",
        "vmov d4, r12, r12",
        "vmov d5, r12, r12",
        "vmov d6, r12, r12",
        "vmov d7, r12, r12",
        "ldr r12, [sp, #36]",
        "sub r3, r3, #32", // what is left of the stride after eight elements
        "2:",
        "vldr s24, [r0]",
        "add r0, r0, r1",
        "vldmia r2!, {{s16-s23}}",
        "vfma.f32 s0, s24, s16",
        "vfma.f32 s1, s24, s17",
        "vfma.f32 s2, s24, s18",
        "vfma.f32 s3, s24, s19",
        "vfma.f32 s4, s24, s20",
        "vfma.f32 s5, s24, s21",
        "vfma.f32 s6, s24, s22",
        "vfma.f32 s7, s24, s23",
        "vldmia r2, {{s16-s23}}",
        "add r2, r2, r3",
        "vfma.f32 s8, s24, s16",
        "vfma.f32 s9, s24, s17",
        "vfma.f32 s10, s24, s18",
        "vfma.f32 s11, s24, s19",
        "vfma.f32 s12, s24, s20",
        "vfma.f32 s13, s24, s21",
        "vfma.f32 s14, s24, s22",
        "vfma.f32 s15, s24, s23",
        "subs r12, r12, #1",
        "bne 2b",
        "ldr r12, [sp, #40]",
        "vstmia r12, {{s0-s15}}",
        "vpop {{s16-s24}}",
        "bx lr",
    )
}

#[unsafe(naked)]
unsafe extern "C" fn four_beside(
    x: *const f32,
    x_stride: usize,
    lines: *const f32,
    stride: usize,
    steps: usize,
    sums: *mut f32,
) {
    naked_asm!(
        ".fpu fpv4-sp-d16",
        "mov r12, #0",
        "vmov d0, r12, r12",
        "vmov d1, r12, r12",
        "ldr r12, [sp]",
        "2:",
        "vldr s8, [r0]",
        "add r0, r0, r1",
        "vldmia r2, {{s4-s7}}",
        "add r2, r2, r3",
        "vfma.f32 s0, s8, s4",
        "vfma.f32 s1, s8, s5",
        "vfma.f32 s2, s8, s6",
        "vfma.f32 s3, s8, s7",
        "subs r12, r12, #1",
        "bne 2b",
        "ldr r12, [sp, #4]",
        "vstmia r12, {{s0-s3}}",
        "bx lr",
    )
}

/// The loop takes two steps; an odd number enters it in the middle, as in the tile.
#[unsafe(naked)]
unsafe extern "C" fn four_apart(
    x: *const f32,
    x_stride: usize,
    lines: *const f32,
    stride: usize,
    steps: usize,
    sums: *mut f32,
) {
    naked_asm!(
        ".fpu fpv4-sp-d16",
        "push {{r4-r5}}",
        "mov r12, #0",
        "vmov d0, r12, r12",
        "vmov d1, r12, r12",
        "ldr r12, [sp, #8]",
        "add r4, r2, r3",
        "add r5, r4, r3",
        "add r3, r5, r3",
        "sub r12, r12, #1",
        "lsrs r12, r12, #1",
        "bcs 2f",
        "vldmia r2!, {{s5}}",
        "vldmia r4!, {{s7}}",
        "vldmia r5!, {{s9}}",
        "vldmia r3!, {{s11}}",
        "b 3f",
        "2:",
        "vldr s12, [r0]",
        "add r0, r0, r1",
        "vldmia r2!, {{s4-s5}}",
        "vldmia r4!, {{s6-s7}}",
        "vldmia r5!, {{s8-s9}}",
        "vldmia r3!, {{s10-s11}}",
        "vfma.f32 s0, s12, s4",
        "vfma.f32 s1, s12, s6",
        "vfma.f32 s2, s12, s8",
        "vfma.f32 s3, s12, s10",
        "3:",
        "vldr s12, [r0]",
        "add r0, r0, r1",
        "vfma.f32 s0, s12, s5",
        "vfma.f32 s1, s12, s7",
        "vfma.f32 s2, s12, s9",
        "vfma.f32 s3, s12, s11",
        "subs r12, r12, #1",
        "bpl 2b",
        "ldr r12, [sp, #12]",
        "vstmia r12, {{s0-s3}}",
        "pop {{r4-r5}}",
        "bx lr",
    )
}

#[unsafe(naked)]
unsafe extern "C" fn single(
    x: *const f32,
    x_stride: usize,
    line: *const f32,
    stride: usize,
    steps: usize,
    sums: *mut f32,
) {
    naked_asm!(
        ".fpu fpv4-sp-d16",
        "mov r12, #0",
        "vmov s0, r12",
        "ldr r12, [sp]",
        "2:",
        "vldr s1, [r0]",
        "add r0, r0, r1",
        "vldr s2, [r2]",
        "add r2, r2, r3",
        "vfma.f32 s0, s1, s2",
        "subs r12, r12, #1",
        "bne 2b",
        "ldr r12, [sp, #4]",
        "vstr s0, [r12]",
        "bx lr",
    )
}
