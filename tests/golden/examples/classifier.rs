//! Prints what `capi/examples/classifier.c` prints.

use isobath_golden::classifier::train;
use isobath_kernels::Level;

fn main() {
    println!("{}", train(Level::detect()));
}
