//! A plan into writes: one attempt.
