//! Writes the linker's map of memory for the machine that QEMU shows to this target.

use std::path::PathBuf;
use std::{env, fs};

/// Two regions: origin and length of code, then of data.
const MPS2: &str = "
    FLASH : ORIGIN = 0x00000000, LENGTH = 4M
    RAM : ORIGIN = 0x20000000, LENGTH = 4M";
const MPS2_SECURE: &str = "
    FLASH : ORIGIN = 0x10000000, LENGTH = 4M
    RAM : ORIGIN = 0x38000000, LENGTH = 4M";
const VIRT: &str = "
    FLASH : ORIGIN = 0x80000000, LENGTH = 4M
    RAM : ORIGIN = 0x80400000, LENGTH = 4M";
/// What riscv-rt asks for besides.
const ALIASES: [&str; 6] = ["TEXT", "RODATA", "DATA", "BSS", "HEAP", "STACK"];

fn main() {
    let target = env::var("TARGET").expect("cargo sets it");
    let riscv = target.starts_with("riscv");
    let regions = match () {
        () if riscv => VIRT,
        () if target.starts_with("thumbv8m") => MPS2_SECURE,
        () => MPS2,
    };
    println!("cargo::rerun-if-env-changed=FIRMWARE_RAM");
    // For programs that must do with less memory than the machine has.
    let regions = match env::var("FIRMWARE_RAM") {
        Ok(length) => {
            let (before, _) = regions.rsplit_once("4M").expect("RAM comes last");
            format!("{before}{length}")
        }
        Err(_) => regions.to_owned(),
    };
    let mut script = format!("MEMORY {{{regions}\n}}\n");
    for region in ALIASES.iter().filter(|_| riscv) {
        let place = if matches!(*region, "TEXT" | "RODATA") { "FLASH" } else { "RAM" };
        script += &format!("REGION_ALIAS(\"REGION_{region}\", {place});\n");
    }
    let folder = PathBuf::from(env::var("OUT_DIR").expect("cargo sets it"));
    fs::write(folder.join("memory.x"), script).expect("OUT_DIR can be written");
    println!("cargo::rustc-link-search={}", folder.display());
    // cortex-m-rt's script reads memory.x itself.
    if riscv {
        println!("cargo::rustc-link-arg-bins=-Tmemory.x");
    }
    println!("cargo::rustc-link-arg-bins=-Tlink.x");
    println!("cargo::rerun-if-changed=build.rs");
}
