//! Prints the golden list through a function of the host's, which tests/wasm/run.mjs provides.
#![no_std]

use core::fmt;
use core::panic::PanicInfo;

use isobath_golden::training::Space;
use isobath_kernels::Level;

#[link(wasm_import_module = "host")]
unsafe extern "C" {
    /// Prints `length` bytes of UTF-8 from `text` on.
    fn write(text: *const u8, length: usize);
}

struct Host;

impl fmt::Write for Host {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        // SAFETY: the host reads the bytes of `text`, and nothing else, before it returns.
        unsafe { write(text.as_ptr(), text.len()) };
        Ok(())
    }
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    let _ = fmt::Write::write_fmt(&mut Host, format_args!("{info}\n"));
    core::arch::wasm32::unreachable()
}

/// Prints the list on the level of this number, slowest first; 1 if there is no such level.
#[unsafe(no_mangle)]
pub extern "C" fn golden(level: usize) -> u32 {
    let Some(level) = Level::available().nth(level) else { return 1 };
    let printed = isobath_golden::print(level, &mut Space::new(), &mut Host);
    printed.is_err().into()
}
