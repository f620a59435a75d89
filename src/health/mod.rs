//! A live object into its health.
