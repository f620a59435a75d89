//! What the integration tests share.

pub mod cluster;
pub mod landscape;
pub mod proxy;
pub mod scene;
