//! Prints the largest error of each function over the dense sample.
use isobath_kernels::Level;
use isobath_tests::{accuracy, values};

fn main() {
    let x = values::dense();
    for function in accuracy::functions() {
        let start = std::time::Instant::now();
        let worst = function.measure(Level::detect(), &x);
        println!("{:12} {:.4} at {:e} ({:?})", function.name, worst.error, worst.x, start.elapsed());
    }
}
