//! What the programs of this firmware share: operands, the definition of the product, a panic that the host
//! sees.
#![no_std]

use core::panic::PanicInfo;

#[cfg(target_arch = "arm")]
pub use cortex_m_rt::entry;
#[cfg(target_arch = "riscv32")]
pub use riscv_rt::entry;
use semihosting::{eprintln, process};

#[path = "../../src/fma.rs"]
pub mod fma;
#[path = "../../src/naive_gemm.rs"]
pub mod naive_gemm;
#[cfg(target_arch = "arm")]
pub mod stack;

/// Ends QEMU with this program's success as its own.
pub fn exit(success: bool) -> ! {
    process::exit(i32::from(!success))
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    eprintln!("{info}");
    exit(false)
}

#[cfg(target_arch = "arm")]
// SAFETY: a handler that never returns may run on any state.
#[cortex_m_rt::exception]
unsafe fn HardFault(frame: &cortex_m_rt::ExceptionFrame) -> ! {
    panic!("hard fault: {frame:?}");
}

/// Runs `f` between the marks that the plugin in ci/instruction-count looks for.
#[cfg(target_arch = "arm")]
#[inline(always)]
pub fn marked<R>(f: impl FnOnce() -> R) -> R {
    // SAFETY: moves of a register to itself.
    unsafe { core::arch::asm!("mov r9, r9") };
    let result = f();
    // SAFETY: likewise.
    unsafe { core::arch::asm!("mov r10, r10") };
    result
}

/// Weyl's sequence through a mixing function: the same operands in every run.
pub struct Random(pub u32);

impl Random {
    /// 32 bits.
    pub fn bits(&mut self) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9);
        let mut z = self.0;
        z = (z ^ z >> 16).wrapping_mul(0x85eb_ca6b);
        z = (z ^ z >> 13).wrapping_mul(0xc2b2_ae35);
        z ^ z >> 16
    }

    /// Of widely differing size, so that a changed order of additions shows.
    pub fn value(&mut self) -> f32 {
        let exponent = 127 - 12 + self.bits() % 24;
        f32::from_bits(self.bits() & 0x807f_ffff | exponent << 23)
    }

    /// One in 16 is a zero, an infinity, NaN, or near the ends of the range.
    pub fn value_or_special(&mut self) -> f32 {
        const SPECIAL: [f32; 8] = [0.0, -0.0, f32::INFINITY, f32::NEG_INFINITY, f32::NAN, 1e-45, -1e38, 3e38];
        let value = self.value();
        let choice = self.bits();
        if choice & 15 == 0 { SPECIAL[(choice >> 4) as usize % 8] } else { value }
    }
}
