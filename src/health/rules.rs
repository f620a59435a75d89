//! Health by a rule of the landscape (semantics §4.2), which stands in place of all that is built in for a kind.
//!
//! Asked in order: `inProgress`, `failed`, `current`; the first that is true decides, and if none is, the object is on
//! its way. An answer that cannot be given never passes for a no, since what follows would then be judged on too
//! little: what asks for a missing field waits for it, and what makes no sense for the object is unknown. Both say so,
//! and the deadline of the component ends both.

use serde_json::Value;

use super::fields::plain;
use super::{Health, Status};
use crate::landscape::HealthRule;
use crate::object::{Expression, Unanswered};

/// The rule for objects of a kind; of several the last, which is the one of the highest layer.
pub fn rule_for<'a>(rules: &'a [HealthRule], api_version: &str, kind: &str) -> Option<&'a HealthRule> {
    rules.iter().rev().find(|rule| rule.api_version == api_version && rule.kind == kind)
}

/// How the rule finds an object that exists and whose controller, if it has one, has seen it.
pub fn assess(rule: &HealthRule, object: &Value) -> Health {
    let questions = [
        ("inProgress", rule.in_progress.as_ref(), Status::InProgress),
        ("failed", rule.failed.as_ref(), Status::Failed),
        ("current", Some(&rule.current), Status::Current),
    ];
    for (name, expression, status) in questions {
        let Some(expression) = expression else { continue };
        match expression.holds(object) {
            Ok(false) => {}
            Ok(true) if status == Status::Current => return Health::current(),
            Ok(true) => {
                return Health::new(status, format!("{} holds, the rule `{name}`", quoted(expression)));
            }
            Err(error) => {
                let status = match error {
                    Unanswered::Missing(_) => Status::InProgress,
                    Unanswered::Senseless(_) => Status::Unknown,
                };
                let error = plain(&error.to_string());
                return Health::new(status, format!("the rule `{name}` has no answer: {error}"));
            }
        }
    }
    Health::in_progress(format!("{} does not hold yet, the rule `current`", quoted(&rule.current)))
}

/// The expression in one line.
fn quoted(expression: &Expression) -> String {
    format!("`{}`", plain(expression.text()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::diagnostic::{Files, Span};
    use crate::health::{self, Context, Related};

    fn rule(kind: &str, in_progress: Option<&str>, failed: Option<&str>, current: &str) -> HealthRule {
        let read = |text: &str| Expression::new(text).unwrap();
        HealthRule {
            api_version: "a.example/v1".into(),
            kind: kind.into(),
            in_progress: in_progress.map(read),
            failed: failed.map(read),
            current: read(current),
            span: Span::new(Files::new().add("x", "", false), 0..0),
        }
    }

    #[track_caller]
    fn check(rules: &[HealthRule], object: &Value, status: Status, reason: &str) {
        let related = Related::default();
        let now = "2026-01-01T12:00:00Z".parse().unwrap();
        let context = Context { now, written: None, has_status: None, related: &related, rules };
        let health = health::assess(Some(object), &context);
        assert_eq!((health.status, health.reason.as_str()), (status, reason), "{object:#}");
    }

    fn thing(status: &Value) -> Value {
        json!({"apiVersion": "a.example/v1", "kind": "Thing", "metadata": {"generation": 2}, "status": status})
    }

    #[test]
    fn the_first_that_is_true_decides() {
        let rules = [rule("Thing", Some("status.a"), Some("status.b"), "status.c")];
        let of = |a: bool, b: bool, c: bool| thing(&json!({"a": a, "b": b, "c": c}));
        check(&rules, &of(true, true, true), Status::InProgress, "`status.a` holds, the rule `inProgress`");
        check(&rules, &of(false, true, true), Status::Failed, "`status.b` holds, the rule `failed`");
        check(&rules, &of(false, false, true), Status::Current, "");
        let reason = "`status.c` does not hold yet, the rule `current`";
        check(&rules, &of(false, false, false), Status::InProgress, reason);
    }

    #[test]
    fn an_answer_that_cannot_be_given_is_no_no() {
        let rules = [rule("Thing", None, Some("status.phase == 'Bad'"), "true")];
        let reason = "the rule `failed` has no answer: there is no `phase`";
        check(&rules, &thing(&json!({})), Status::InProgress, reason);
        check(&rules, &thing(&json!({"phase": "Good"})), Status::Current, "");
        let rules = [rule("Thing", None, None, "status.n + 1")];
        let reason = "the rule `current` has no answer: it gives `int`, not `bool`";
        check(&rules, &thing(&json!({"n": 1})), Status::Unknown, reason);
    }

    #[test]
    fn deletion_and_the_generation_come_first_and_conditions_do_not_count() {
        let rules = [rule("Thing", None, None, "true")];
        let unseen = "its controller has not seen the last change yet";
        check(&rules, &thing(&json!({"observedGeneration": 1})), Status::InProgress, unseen);
        check(&rules, &thing(&json!({"observedGeneration": "1"})), Status::Current, "");
        let conditions = json!([{"type": "Stalled", "status": "True"}, {"type": "Ready", "status": "False"}]);
        check(&rules, &thing(&json!({"conditions": conditions})), Status::Current, "");
        let mut going = thing(&json!({}));
        going["metadata"]["deletionTimestamp"] = json!("2026-01-01T11:00:00Z");
        check(&rules, &going, Status::Terminating, "is being deleted");
    }

    #[test]
    fn the_last_rule_for_the_very_kind_holds() {
        let rules = [
            rule("Thing", None, Some("true"), "true"),
            rule("Thing", None, None, "true"),
            rule("Other", None, Some("true"), "true"),
        ];
        check(&rules, &thing(&json!({})), Status::Current, "");
        let mut newer =
            thing(&json!({"conditions": [{"type": "Stalled", "status": "True", "message": "no disk"}]}));
        newer["apiVersion"] = json!("a.example/v2");
        check(&rules, &newer, Status::Failed, "no disk");
    }
}
