//! Contracts: who provides what a component requires, and the values that pass from one to the other.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};

use super::compute::{Scope, compute, mentions};
use super::format::describe;
use super::merge::without_nulls;
use super::model::Provided;
use crate::diagnostic::{Diagnostic, Files, Span, nearest};
use crate::yaml::{Mapping, Node, Value};

/// A contract as a component or the cluster offers it, not yet computed.
#[derive(Debug, Clone)]
pub(super) struct Offer {
    /// Its values.
    pub node: Node,
    /// Where its name stands.
    pub span: Span,
}

/// A contract as a component needs it.
#[derive(Debug, Clone)]
pub(super) struct Need {
    /// A list of every provider's values.
    pub many: bool,
    /// May be missing.
    pub optional: bool,
    /// Whether to wait for the provider.
    pub order: bool,
    /// Which provider.
    pub from: Option<(String, Span)>,
    /// Where it is asked for.
    pub span: Span,
}

/// One side of all contracts of a cluster: name of the component, or `None` for the cluster itself.
pub(super) type Party = Option<String>;

/// What every party offers, by contract.
pub(super) type Offers = BTreeMap<Party, BTreeMap<String, Offer>>;

/// Who meets each need of one component.
pub(super) type Links = BTreeMap<String, Vec<Party>>;

/// Every offer of the whole landscape, installed or not: contract to (who, place).
pub(super) type Known = BTreeMap<String, Vec<(String, Span)>>;

/// The needs of a merged `requires` map; withdrawn ones are gone.
pub(super) fn needs(requires: &Mapping) -> BTreeMap<String, Need> {
    let flag = |node: &Node, key: &str| match node.get(key).map(|n| &n.value) {
        Some(Value::Bool(b)) => Some(*b),
        _ => None,
    };
    requires
        .iter()
        .filter(|entry| !entry.value.is_null())
        .map(|entry| {
            let node = &entry.value;
            let need = Need {
                many: flag(node, "many") == Some(true),
                optional: flag(node, "optional") == Some(true),
                order: flag(node, "order") != Some(false),
                from: node.get("from").and_then(|n| Some((n.as_str()?.to_owned(), n.span))),
                span: entry.key_span,
            };
            (entry.key.clone(), need)
        })
        .collect()
}

/// The offers of a merged `provides` map; withdrawn ones are gone.
pub(super) fn offers(provides: &Mapping) -> BTreeMap<String, Offer> {
    provides
        .iter()
        .filter(|entry| !entry.value.is_null())
        .map(|entry| {
            (entry.key.clone(), Offer { node: without_nulls(entry.value.clone()), span: entry.key_span })
        })
        .collect()
}

/// Finds who meets each need of `consumer`; needs that nobody meets rightly are reported and left out. A contract
/// is `excused` when files with errors might offer it: then its absence is no news.
pub(super) fn link(
    consumer: &str,
    needs: &BTreeMap<String, Need>,
    offers: &Offers,
    known: &Known,
    excused: &dyn Fn(&str) -> bool,
    problems: &mut Vec<Diagnostic>,
) -> Links {
    let mut links = Links::new();
    for (contract, need) in needs {
        let mut providers: Vec<&Party> = offers
            .iter()
            .filter(|(party, offered)| party.as_deref() != Some(consumer) && offered.contains_key(contract))
            .map(|(party, _)| party)
            .collect();
        if let Some((from, span)) = &need.from {
            let others = std::mem::take(&mut providers);
            providers = others.iter().copied().filter(|p| p.as_ref() == Some(from)).collect();
            if providers.is_empty() && excused(contract) {
                continue;
            }
            if providers.is_empty() && !need.optional {
                problems.push(wrong_provider(consumer, contract, from, *span, &others, offers));
                continue;
            }
        }
        match providers.len() {
            0 if excused(contract) => continue,
            0 if need.optional => {}
            0 => {
                problems.push(unmet(consumer, contract, need.span, known));
                continue;
            }
            1 => {}
            _ if need.many => {}
            _ => {
                problems.push(ambiguous(consumer, contract, need.span, &providers, offers));
                continue;
            }
        }
        links.insert(contract.clone(), providers.into_iter().cloned().collect());
    }
    links
}

fn who(party: Option<&str>) -> String {
    party.map_or_else(|| "the cluster".into(), |name| format!("`{name}`"))
}

fn unmet(consumer: &str, contract: &str, span: Span, known: &Known) -> Diagnostic {
    if let Some(elsewhere) = known.get(contract) {
        let mut diagnostic = Diagnostic::error(
            "unmet-contract",
            format!("`{consumer}` requires `{contract}`, which nothing here provides"),
        )
        .at(span, "");
        for (party, place) in elsewhere.iter().filter(|(party, _)| *party != format!("`{consumer}`")) {
            diagnostic = diagnostic.also(*place, format!("{party} provides it elsewhere"));
        }
        return diagnostic.help("install a provider here, or say `optional: true`");
    }
    let diagnostic = Diagnostic::error(
        "unknown-contract",
        format!("`{consumer}` requires `{contract}`, which nothing in the landscape provides"),
    )
    .at(span, "");
    match nearest(contract, known.keys().map(String::as_str)) {
        Some(near) => {
            let place = known.get(near).and_then(|places| places.first());
            let diagnostic = diagnostic.help(format!("did you mean `{near}`?"));
            match place {
                Some((party, place)) => diagnostic.also(*place, format!("{party} provides `{near}`")),
                None => diagnostic,
            }
        }
        None => diagnostic
            .help("add `provides` to a component, or to cluster.yaml for what is outside the cluster"),
    }
}

fn ambiguous(
    consumer: &str,
    contract: &str,
    span: Span,
    providers: &[&Party],
    offers: &Offers,
) -> Diagnostic {
    let names: Vec<String> = providers.iter().map(|p| who(p.as_deref())).collect();
    let mut diagnostic = Diagnostic::error(
        "ambiguous-contract",
        format!("`{consumer}` requires `{contract}`, which {} provide", names.join(" and ")),
    )
    .at(span, "");
    for party in providers {
        if let Some(offer) = offers.get(party).and_then(|o| o.get(contract)) {
            diagnostic = diagnostic.also(offer.span, format!("provided by {}", who(party.as_deref())));
        }
    }
    diagnostic.help("choose one with `from`, or take all with `many: true`")
}

fn wrong_provider(
    consumer: &str,
    contract: &str,
    from: &str,
    span: Span,
    others: &[&Party],
    offers: &Offers,
) -> Diagnostic {
    let mut diagnostic = Diagnostic::error(
        "unmet-contract",
        format!("`{consumer}` requires `{contract}` from `{from}`, which does not provide it here"),
    )
    .at(span, "");
    for party in others {
        if let Some(offer) = offers.get(*party).and_then(|o| o.get(contract)) {
            diagnostic = diagnostic.also(offer.span, format!("provided by {}", who(party.as_deref())));
        }
    }
    match nearest(from, others.iter().filter_map(|p| p.as_deref())) {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
        None => diagnostic,
    }
}

/// Computes offers, each after those that its templates see.
pub(super) struct Computing<'a> {
    /// For templates to be cited.
    pub files: &'a Files,
    /// Who offers what.
    pub offers: &'a Offers,
    /// Who meets whose needs.
    pub links: &'a BTreeMap<String, Links>,
    /// The needs themselves.
    pub needs: &'a BTreeMap<String, BTreeMap<String, Need>>,
    /// What templates of a party see, but for contracts.
    pub scope: &'a dyn Fn(&Party) -> Json,
    /// What is computed.
    pub provided: BTreeMap<(Party, String), Provided>,
    /// Parties with an error, and components that depend on them: nothing of theirs can be trusted.
    pub broken: BTreeSet<Party>,
    /// Problems found.
    pub problems: Vec<Diagnostic>,
}

impl Computing<'_> {
    /// Computes everything that is offered.
    pub fn run(&mut self) {
        let offers = self.offers;
        for (party, offered) in offers {
            for contract in offered.keys() {
                self.visit(party, contract, &mut Vec::new());
            }
        }
    }

    fn visit(&mut self, party: &Party, contract: &str, path: &mut Vec<(Party, String)>) {
        let key = (party.clone(), contract.to_owned());
        if self.provided.contains_key(&key) || self.broken.contains(party) {
            return;
        }
        let offers = self.offers;
        let Some(offer) = offers.get(party).and_then(|o| o.get(contract)) else { return };
        if let Some(start) = path.iter().position(|step| *step == key) {
            let diagnostic = self.value_cycle(&path[start..]);
            self.problems.push(diagnostic);
            self.broken.extend(path[start..].iter().map(|(party, _)| party.clone()));
            return;
        }
        let sees = mentions(&offer.node, "contracts");
        path.push(key.clone());
        if let (true, Some(consumer)) = (sees, party) {
            let links = self.links;
            for (needed, providers) in links.get(consumer).into_iter().flatten() {
                for provider in providers {
                    self.visit(provider, needed, path);
                    if self.broken.contains(provider) {
                        self.broken.insert(party.clone());
                    }
                }
            }
        }
        path.pop();
        if self.broken.contains(party) {
            return;
        }
        let scope = Scope::new(&self.scope_of(party));
        let before = self.problems.len();
        let node = compute(self.files, &offer.node, &scope, &mut self.problems);
        let provided = finish(&node, offer.span, &mut self.problems);
        if self.problems.len() > before {
            self.broken.insert(party.clone());
        }
        self.provided.insert(key, provided);
    }

    /// What templates of `party` see: its scope with the values of its contracts.
    pub fn scope_of(&self, party: &Party) -> Json {
        let mut scope = (self.scope)(party);
        let mut contracts = serde_json::Map::new();
        if let Some(consumer) = party {
            for (contract, need) in self.needs.get(consumer).into_iter().flatten() {
                let providers =
                    self.links.get(consumer).and_then(|l| l.get(contract)).map_or(&[][..], Vec::as_slice);
                let mut values: Vec<Json> = providers
                    .iter()
                    .filter_map(|p| self.provided.get(&(p.clone(), contract.clone())))
                    .map(|p| p.values.clone())
                    .collect();
                let value = if need.many { values.into() } else { values.pop().unwrap_or(Json::Null) };
                contracts.insert(contract.clone(), value);
            }
        }
        if let Some(scope) = scope.as_object_mut() {
            scope.insert("contracts".into(), contracts.into());
        }
        scope
    }

    fn value_cycle(&self, steps: &[(Party, String)]) -> Diagnostic {
        let mut names: Vec<String> =
            steps.iter().map(|(party, _)| party.clone().unwrap_or_default()).collect();
        names.extend(names.first().cloned());
        let mut diagnostic = Diagnostic::error(
            "contract-value-cycle",
            format!("the values of contracts are computed from each other: `{}`", names.join(" → ")),
        );
        for (party, contract) in steps {
            if let Some(offer) = self.offers.get(party).and_then(|o| o.get(contract)) {
                let text = format!("`{contract}` of {}", who(party.as_deref()));
                diagnostic = diagnostic.at(offer.span, text);
            }
        }
        diagnostic.help("write one of the values out")
    }
}

/// Splits a computed offer into values and secrets.
fn finish(node: &Node, span: Span, problems: &mut Vec<Diagnostic>) -> Provided {
    let mut values = node.clone();
    let mut secrets = BTreeMap::new();
    if let Value::Mapping(mapping) = &mut values.value
        && let Some(entry) = mapping.remove("secrets")
    {
        let wrong = |node: &Node, wanted: &str| {
            Diagnostic::error(
                "wrong-type",
                format!("`secrets` of a contract must be {wanted}, not {}", describe(node)),
            )
            .at(node.span, "")
        };
        match entry.value.as_mapping() {
            None => problems.push(wrong(&entry.value, "a map from key to lookup name")),
            Some(map) => {
                for entry in map {
                    match entry.value.as_str() {
                        Some(lookup) => {
                            secrets.insert(entry.key.clone(), lookup.to_owned());
                        }
                        None => problems.push(wrong(&entry.value, "lookup names")),
                    }
                }
            }
        }
    }
    Provided { values: json!(values.to_json()), secrets, span }
}
