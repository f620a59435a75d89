//! Services and Ingresses are current once written: on many clusters nobody ever assigns an address, and a wait for
//! it would never end. A missing address is told.

use serde_json::Value;

use super::fields::{list, text};
use super::{Health, Status};

pub fn service(object: &Value) -> Health {
    let balanced = text(object, "/spec/type") == "LoadBalancer";
    let addressed = !list(object, "/status/loadBalancer/ingress").is_empty()
        || !list(object, "/spec/externalIPs").is_empty();
    if balanced && !addressed {
        return Health::new(Status::Current, "has no load balancer address yet");
    }
    Health::current()
}

pub fn ingress(object: &Value) -> Health {
    if list(object, "/status/loadBalancer/ingress").is_empty() {
        return Health::new(Status::Current, "has no address yet");
    }
    Health::current()
}
