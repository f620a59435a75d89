//! Lists, page by page.
//!
//! Pages are parsed one after the other, straight into JSON values, so that at most one page is held twice. A
//! list whose continuation has expired (410) begins anew: a part of a list is never taken for the whole.

use serde::Deserialize;
use serde_json::Value;

use super::Client;
use super::error::Failure;
use super::path::{Resource, query};
use super::request::{Call, JSON, METADATA_LIST, Patience};

/// Objects per page.
const PAGE: &str = "500";
/// How often a list may expire under our hands.
const RESTARTS: usize = 4;

/// Which objects of a kind.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Selection<'a> {
    /// Only this namespace.
    pub namespace: Option<&'a str>,
    /// A label selector.
    pub labels: Option<&'a str>,
    /// A field selector.
    pub fields: Option<&'a str>,
    /// Only metadata.
    pub metadata_only: bool,
}

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    metadata: PageMetadata,
    /// Go writes an empty list as null.
    items: Option<Vec<Value>>,
}

#[derive(Deserialize, Default)]
struct PageMetadata {
    #[serde(default, rename = "continue")]
    continuation: String,
}

/// How a list ended badly.
#[derive(Debug)]
pub(super) enum ListFailure {
    /// The call failed.
    Call(Failure),
    /// The answer is not a list.
    Nonsense(serde_json::Error),
}

impl ListFailure {
    /// As the failure to list something.
    pub fn reading(self, action: String) -> super::Error {
        match self {
            Self::Call(failure) => failure.reading(action),
            Self::Nonsense(source) => super::Error::Nonsense { action, source },
        }
    }
}

impl Client {
    /// All selected objects of a kind, as the server has them now (a consistent read). Each has its `apiVersion`
    /// and `kind`, which lists of built-in kinds leave out.
    pub(super) async fn list(
        &self,
        resource: &Resource,
        selection: Selection<'_>,
    ) -> Result<Vec<Value>, ListFailure> {
        let mut restarts = 0;
        let mut objects = Vec::new();
        let mut continuation = String::new();
        loop {
            let mut pairs = vec![("limit", PAGE)];
            pairs.extend(selection.labels.map(|s| ("labelSelector", s)));
            pairs.extend(selection.fields.map(|s| ("fieldSelector", s)));
            if !continuation.is_empty() {
                pairs.push(("continue", &continuation));
            }
            let path = query(&resource.collection(selection.namespace), &pairs);
            let accept = if selection.metadata_only { METADATA_LIST } else { JSON };
            let page: Page = match self.call(Call::get(path).accept(accept).patience(Patience::List)).await {
                Ok(answer) => answer.json().map_err(ListFailure::Nonsense)?,
                Err(failure) if failure.is(410) && restarts < RESTARTS => {
                    restarts += 1;
                    objects.clear();
                    continuation.clear();
                    continue;
                }
                Err(failure) => return Err(ListFailure::Call(failure)),
            };
            let (api_version, kind) = (resource.gvk().api_version(), &resource.kind);
            objects.extend(page.items.unwrap_or_default().into_iter().map(|mut object| {
                if let Value::Object(fields) = &mut object {
                    fields.insert("apiVersion".into(), Value::String(api_version.clone()));
                    fields.insert("kind".into(), Value::String(kind.clone()));
                }
                object
            }));
            if page.metadata.continuation.is_empty() {
                return Ok(objects);
            }
            continuation = page.metadata.continuation;
        }
    }
}
