//! Component and chart into manifests.
