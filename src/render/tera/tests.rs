//! The engine by itself: filters, functions, limits.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tera::Context;

use super::{Halt, Job, Limits, Outcome, render};

fn job(template: &str) -> Job {
    let mut context = Context::new();
    let values = json!({"map": {"b": [1, "two", null, true], "a": {"x": 1.5}}, "text": "it's \"x\"", "lines": "one\ntwo\n\nthree\n", "port": 8080, "none": null, "yes": "yes"});
    context.insert("values", &values);
    Job { templates: vec![("t".into(), Arc::from(template))], contexts: vec![context] }
}

/// What a template prints, or its error.
fn printed(template: &str) -> String {
    match render(vec![job(template)], Limits::default()).unwrap().pop() {
        Some(Outcome::Rendered(mut rendered)) => match rendered.pop().unwrap().1 {
            Ok(mut texts) => texts.pop().unwrap(),
            Err(error) => format!("error: {error}"),
        },
        _ => panic!("does not compile"),
    }
}

#[test]
fn filters_print_what_manifests_need() {
    for (template, expected) in [
        ("{{ values.map | to_yaml }}", "a:\n  x: 1.5\nb:\n- 1\n- two\n- null\n- true"),
        ("  {{ values.map.a | to_yaml(indent=2) }}", "  x: 1.5"),
        (
            "{{ values.map | to_yaml(indent=4) }}",
            "a:\n      x: 1.5\n    b:\n    - 1\n    - two\n    - null\n    - true",
        ),
        ("{{ values.yes | to_yaml }}", "\"yes\""),
        ("{{ values.map | to_json }}", "{\"a\":{\"x\":1.5},\"b\":[1,\"two\",null,true]}"),
        ("{{ values.map.a | to_json(pretty=true) }}", "{\n  \"x\": 1.5\n}"),
        ("{{ values.lines | indent(width=2) }}", "one\n  two\n\n  three\n"),
        ("{{ values.lines | indent(width=2, first=true) }}", "  one\n  two\n\n  three\n"),
        ("a:{{ values.map.a | to_yaml | nindent(width=2) }}", "a:\n  x: 1.5"),
        ("{{ values.text | quote }}", r#""it's \"x\"""#),
        ("{{ values.port | quote }}", "\"8080\""),
        ("{{ values.text | squote }}", r#"'it''s "x"'"#),
        ("{{ values.text | b64encode }}", "aXQncyAieCI="),
        ("{{ values.text | b64encode | b64decode }}", "it's \"x\""),
        ("{{ \"abc\" | sha256 }}", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        ("{{ {\"a\": 1} | sha256 }}", "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862"),
        ("{{ \"abcdef\" | trunc(length=2) }}{{ \"abcdef\" | trunc(length=-2) }}", "abef"),
        ("{{ \"v1.2\" | trim_prefix(pat=\"v\") | trim_suffix(pat=\".2\") }}", "1"),
        ("{{ values.none | default(value=\"x\") }}{{ values.gone | default(value=\"y\") }}", "y"),
        (
            "{{ values.map | merge(with={\"a\": {\"y\": 2}, \"c\": 3}) | to_json }}",
            "{\"a\":{\"x\":1.5,\"y\":2},\"b\":[1,\"two\",null,true],\"c\":3}",
        ),
        ("{{ values.port | required }}", "8080"),
        (
            "{% for i in range(end=3) %}{{ i }}{% endfor %}{% for i in range(start=3, end=0, step_by=-2) %}{{ i }}{% endfor %}",
            "01231",
        ),
        (
            "{{ \"v1.34.2\" is version_at_least(version=\"1.34\") }} {{ \"1.9\" is version_at_least(version=\"1.30\") }}",
            "true false",
        ),
        ("{% if values.gone %}x{% else %}y{% endif %}{% if values.gone is defined %}x{% endif %}", "y"),
        ("{% for k, v in values.map %}{{ k }}{% endfor %}", "ab"),
        ("{{ \"<&>\" }}", "<&>"),
    ] {
        assert_eq!(printed(template), expected, "{template}");
    }
}

#[test]
fn yaml_reads_quoted_text_back() {
    let files = crate::diagnostic::Files::new();
    for text in
        ["a\u{7f}b", "\u{2028}\u{85}", "tab\there", "\u{1f600} \\ \" '", "\u{0}\u{1b}", "", " x ", "\u{feff}"]
    {
        let mut job = job("{{ t | quote }}");
        job.contexts[0].insert("t", text);
        let Some(Outcome::Rendered(mut rendered)) = render(vec![job], Limits::default()).unwrap().pop()
        else {
            panic!()
        };
        let quoted = rendered.pop().unwrap().1.unwrap().pop().unwrap();
        let file = files.add("q", quoted.as_str(), false);
        let documents = crate::yaml::read(&files, file, crate::yaml::Duplicates::Error).unwrap();
        assert_eq!(documents[0].root.as_ref().and_then(|r| r.as_str()), Some(text), "{quoted}");
    }
}

#[test]
fn filters_refuse_what_makes_no_sense() {
    for (template, expected) in [
        ("{{ values.gone | to_yaml }}", "but got `undefined`"),
        ("{{ [values.gone] | to_json }}", "but got `undefined`"),
        ("{{ values.gone | b64encode }}", "but got `undefined`"),
        ("{{ values.gone | upper }}", "but got `undefined`"),
        ("{{ values.gone }}", "is not defined"),
        ("{{ values.gone.deeper }}", "is not defined"),
        ("{{ values.map | quote }}", "use `to_yaml` or `to_json` first"),
        ("{{ values.none | required(message=\"set it\") }}", "set it"),
        ("{{ \"\" | required }}", "a value is required here"),
        ("{{ values.lines | squote }}", "takes one line"),
        ("{{ \"?\" | b64decode }}", "not base64"),
        ("{{ range(end=3, step_by=0) }}", "other than 0"),
        ("{{ range(end=10001) }}", "at most 10000"),
        ("{{ \"x\" is version_at_least(version=\"1\") }}", "is not a version"),
    ] {
        let printed = printed(template);
        assert!(printed.starts_with("error: ") && printed.contains(expected), "{template}: {printed}");
    }
}

#[test]
fn no_function_reaches_outside_or_changes_from_run_to_run() {
    for call in [
        "now()",
        "get_env(name=\"HOME\")",
        "get_random(end=3)",
        "load_file(path=\"/etc/passwd\")",
        "read(path=\"x\")",
    ] {
        let outcome = render(vec![job(&format!("{{{{ {call} }}}}"))], Limits::default()).unwrap().pop();
        assert!(matches!(outcome, Some(Outcome::Broken(_))), "{call}");
    }
    // Inherited and included templates are those of the job, never files.
    let outcome = render(vec![job("{% include \"/etc/passwd\" %}")], Limits::default()).unwrap().pop();
    assert!(matches!(outcome, Some(Outcome::Broken(_))));
}

#[test]
fn a_template_that_takes_too_long_is_given_up() {
    let loops = "{% for a in range(end=10000) %}{% for b in range(end=10000) %}{% for c in range(end=100) %}{% set x = c %}{% endfor %}{% endfor %}{% endfor %}";
    let limits = Limits { time: Duration::from_millis(50), bytes: 100 };
    assert_eq!(render(vec![job(loops)], limits).err(), Some(Halt::Time(limits.time)));
}

#[test]
fn all_templates_together_are_bounded() {
    let limits = |bytes| Limits { bytes, ..Limits::default() };
    let both = || vec![job("0123456789"), job("0123456789")];
    assert!(render(both(), limits(20)).is_ok());
    assert_eq!(render(both(), limits(19)).err(), Some(Halt::Size(19)));
}
