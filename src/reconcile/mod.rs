//! One run against one cluster: the walk from tree to plan and back.
