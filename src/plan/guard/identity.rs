//! Which cluster: a plan for one cluster is never carried out in another.

use crate::plan::desired::Desired;
use crate::plan::intent::Intent;
use crate::plan::model::Refusal;
use crate::plan::observation::Observation;

/// `new-cluster`, `other-cluster`, `other-origin`.
pub(in crate::plan) fn check(
    desired: &Desired,
    observation: &Observation,
    intent: &Intent,
    refusals: &mut Vec<Refusal>,
) {
    let mut refuse = |code: &str, message: String, hint: String| {
        refusals.push(Refusal { code: code.into(), message, hint, objects: Vec::new() });
    };
    let Desired { landscape, origin, cluster, .. } = desired;
    let Some(record) = &observation.identity else {
        if !intent.new_cluster {
            refuse(
                "new-cluster",
                format!(
                    "this cluster has no record of the landscape `{landscape}`: is it really `{cluster}`?"
                ),
                "if it is, use `--new-cluster`".into(),
            );
        }
        return;
    };
    if record.landscape != *landscape || record.cluster != *cluster {
        refuse(
            "other-cluster",
            format!(
                "this cluster is `{}` of the landscape `{}`, not `{cluster}` of `{landscape}`",
                record.cluster, record.landscape
            ),
            "check `connection` in cluster.yaml, or `--context`".into(),
        );
    } else if record.cluster_uid != observation.cluster_uid {
        refuse(
            "other-cluster",
            format!(
                "the record of `{cluster}` belongs to another cluster: it was made for the UID `{}`, this is `{}`",
                record.cluster_uid, observation.cluster_uid
            ),
            "was this cluster restored from a backup of another? then remove the records in the namespace `landskap` and use `--new-cluster`".into(),
        );
    }
    if record.origin != *origin {
        refuse(
            "other-origin",
            format!("this cluster is kept by `{}`, not by `{origin}`", record.origin),
            "if the landscape moved, remove its identity record in the namespace `landskap` and use `--new-cluster`".into(),
        );
    }
    for inventory in observation.inventories.values() {
        if inventory.cluster_uid != observation.cluster_uid || inventory.landscape != *landscape {
            refuse(
                "other-cluster",
                format!(
                    "the inventory of `{}` was written for another cluster or landscape",
                    inventory.component
                ),
                "remove the record in the namespace `landskap` if it was copied here".into(),
            );
        }
    }
}
