//! Prints the golden list: every kernel's hash, and networks trained on the device.
#![no_std]
#![no_main]

use isobath_firmware::{entry, exit};
use isobath_golden::training::Space;
use isobath_kernels::Level;

#[entry]
fn main() -> ! {
    let mut space = Space::new();
    let mut out = semihosting::io::stdout().expect("QEMU has one");
    struct Out<'a, W>(&'a mut W);
    impl<W: semihosting::io::Write> core::fmt::Write for Out<'_, W> {
        fn write_str(&mut self, text: &str) -> core::fmt::Result {
            self.0.write_all(text.as_bytes()).map_err(|_| core::fmt::Error)
        }
    }
    let printed = isobath_golden::print(Level::SCALAR, &mut space, &mut Out(&mut out));
    exit(printed.is_ok())
}
