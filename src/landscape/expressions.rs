//! Health rules as they are written into questions that can be asked of objects.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::format::HealthFields;
use super::model::HealthRule;
use crate::diagnostic::Diagnostic;
use crate::object::Expression;
use crate::yaml::Node;

/// Expressions that were read already: landscape.yaml's rules are those of every component in every cluster.
#[derive(Default)]
pub(super) struct Expressions(RefCell<BTreeMap<String, Result<Expression, String>>>);

impl Expressions {
    /// The rule that `fields` say at `node`, if all of its expressions can be read.
    pub fn rule(
        &self,
        fields: &HealthFields,
        node: &Node,
        problems: &mut Vec<Diagnostic>,
    ) -> Option<HealthRule> {
        let mut read =
            |key: &str, text: Option<&String>| text.map(|text| self.read(key, text, node, problems));
        let in_progress = read("inProgress", fields.in_progress.as_ref());
        let failed = read("failed", fields.failed.as_ref());
        let current = read("current", Some(&fields.current));
        Some(HealthRule {
            api_version: fields.api_version.clone(),
            kind: fields.kind.clone(),
            in_progress: inner(in_progress)?,
            failed: inner(failed)?,
            current: current??,
            span: node.span,
        })
    }

    fn read(&self, key: &str, text: &str, node: &Node, problems: &mut Vec<Diagnostic>) -> Option<Expression> {
        let mut known = self.0.borrow_mut();
        let known = known.entry(text.to_owned()).or_insert_with(|| Expression::new(text));
        match known {
            Ok(expression) => Some(expression.clone()),
            Err(message) => {
                let span = node.get(key).map_or(node.span, |node| node.span);
                let message = format!("`{key}` is not an expression in CEL: {message}");
                problems.push(Diagnostic::error("health-rule", message).at(span, "").help(
                    "the fields of the object are variables, as in `has(status.ready) && status.ready == spec.replicas`",
                ));
                None
            }
        }
    }
}

/// An expression that is not there is none; one that could not be read spoils the rule.
#[allow(clippy::option_option, reason = "absent and unreadable are two things")]
fn inner(read: Option<Option<Expression>>) -> Option<Option<Expression>> {
    read.map_or(Some(None), |expression| expression.map(Some))
}
