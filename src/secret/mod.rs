//! Lookup names into values that cannot be printed.
