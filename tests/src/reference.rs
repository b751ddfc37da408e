//! The kernels again as plain loops in their documented order: what every level must equal bit for bit.
