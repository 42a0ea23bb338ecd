//! Nothing: a package of its own keeps what its benchmark compares with out of every other build.
