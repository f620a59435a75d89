//! Arguments into one of the walks: one file per command.
