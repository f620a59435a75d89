//! Where files come from: a directory or a git revision, as a read-only tree.
