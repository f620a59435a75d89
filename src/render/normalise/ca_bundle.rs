//! N7: a CRD's conversion webhook with a `caBundle` that is no certificate. Charts ship placeholders
//! (`Cg==`) for cert-manager to fill; servers from 1.31 on refuse them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::pods;

/// Drops `spec.conversion.webhook.clientConfig.caBundle` unless it is base64 of PEM.
pub(super) fn drop_invalid(object: &mut Value) {
    if pods::gvk(object).kind != "CustomResourceDefinition" {
        return;
    }
    let config = object.pointer_mut("/spec/conversion/webhook/clientConfig").and_then(Value::as_object_mut);
    let Some(config) = config else { return };
    let is_pem = |text: &str| {
        let decoded = STANDARD.decode(text.replace(['\n', '\r'], "")).unwrap_or_default();
        decoded.windows(27).any(|window| window == b"-----BEGIN CERTIFICATE-----")
    };
    if config.get("caBundle").is_some_and(|bundle| !bundle.as_str().is_some_and(is_pem)) {
        config.remove("caBundle");
    }
}
