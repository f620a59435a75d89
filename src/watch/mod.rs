//! The controller: the same run in a loop.
