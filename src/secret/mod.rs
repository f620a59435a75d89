//! Lookup names into values that cannot be printed.
//!
//! A component asks for secrets by lookup name; [`resolve()`] finds each in the first configured source that has
//! it: the environment, files of a directory, or one Secret in the cluster (read by `cluster`, handed in as
//! data). Values are [`SecretValue`]s, which are erased when dropped and have no printable form. [`hmac_hex`]
//! makes the fingerprints that may be shown or stored in their place.
//!
//! Nothing here knows charts, rendering or the API server, and nothing reads the process environment by
//! itself: the caller hands in a function.

mod mac;
mod resolve;
mod value;

pub use mac::{hmac, hmac_hex};
pub use resolve::{ClusterSecrets, Lookup, resolve};
pub use value::SecretValue;
